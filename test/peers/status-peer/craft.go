// test/peers/status-peer/craft.go - builds the envelopes of one crafted message, layer by layer, and spoils them on demand.

package main

import (
	"crypto/ecdsa"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	mvds "github.com/status-im/mvds/protobuf"
	"github.com/waku-org/go-waku/waku/v2/protocol/pb"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/status-im/status-go/eth-node/crypto"
	"github.com/status-im/status-go/protocol/common"
	"github.com/status-im/status-go/protocol/datasync"
	"github.com/status-im/status-go/protocol/protobuf"
	v1 "github.com/status-im/status-go/protocol/v1"
)

// message says what is to be built; what it leaves out is as status-go would do it for a client without bundles.
type message struct {
	To string `json:"to"` // public key of the recipient

	// Application layer: a type's name and fields in JSON. clock, timestamp and chat_id are filled in where they are missing.
	Type         string          `json:"type"`           // CHAT_MESSAGE, ACCEPT_CONTACT_REQUEST, ...; default CHAT_MESSAGE
	Body         json.RawMessage `json:"body"`           // the type's fields
	BodyHex      string          `json:"body_hex"`       // or its bytes
	ClockAheadMs int64           `json:"clock_ahead_ms"` // the clock is so far ahead of now
	PadBytes     int             `json:"pad_bytes"`      // random bytes in a field that nobody reads
	AppKey       string          `json:"app_key"`        // private key of the signer; "none": unsigned

	// Data synchronisation.
	Mvds        *bool    `json:"mvds"`         // default true
	MvdsSeconds int64    `json:"mvds_seconds"` // timestamp; default now
	Acks        []string `json:"acks"`         // ids to acknowledge
	OnlyAcks    bool     `json:"only_acks"`    // no application message

	// Encryption.
	Encryption   string `json:"encryption"`   // dh (default), ratchet (X3DH and double ratchet, when the other's bundle is known), public, none
	Bundle       *bool  `json:"bundle"`       // default: only with ratchet
	Installation string `json:"installation"` // default: own

	Segments *segments `json:"segments"`

	// Waku layer.
	Topic            string  `json:"topic"`              // partitioned (default), personal, negotiated, contact-code
	SealTo           string  `json:"seal_to"`            // public key of another, who can open it; the topic stays the recipient's
	WakuKey          string  `json:"waku_key"`           // private key of the signer; "none": unsigned
	Version          *uint32 `json:"version"`            // default 1; the payload is encoded in either case
	TimestampAheadMs int64   `json:"timestamp_ahead_ms"` // of the envelope
	NoTimestamp      bool    `json:"no_timestamp"`
	Ephemeral        bool    `json:"ephemeral"`
	PayloadHex       string  `json:"payload_hex"` // the envelope's payload, instead of all of the above

	Damage []damage `json:"damage"`
}

// damage is done to the bytes of a layer before the next one is put around them.
type damage struct {
	Layer string `json:"layer"` // application, mvds, protocol, segment, payload
	Keep  *int   `json:"keep"`  // so many bytes are left; negative: so many are taken from the end
	Flip  *int   `json:"flip"`  // this bit is turned; negative: counted from the end
}

// segments splits the protocol layer. The other fields make what is said of them wrong.
type segments struct {
	Bytes  int     `json:"bytes"`  // of one segment
	Parity int     `json:"parity"` // so many more segments, by Reed and Solomon
	Count  *uint32 `json:"count"`
	Index  *uint32 `json:"index"`
	Hash   string  `json:"hash"`
}

func (m message) spoil(layer string, data []byte) ([]byte, error) {
	for _, d := range m.Damage {
		if d.Layer != layer {
			continue
		}
		data = append([]byte{}, data...)
		if d.Keep != nil {
			size := *d.Keep
			if size < 0 {
				size += len(data)
			}
			if size < 0 || size > len(data) {
				return nil, fmt.Errorf("damage: keep %d of %d bytes", *d.Keep, len(data))
			}
			data = data[:size]
		}
		if d.Flip != nil {
			bit := *d.Flip
			if bit < 0 {
				bit += 8 * len(data)
			}
			if bit < 0 || bit >= 8*len(data) {
				return nil, fmt.Errorf("damage: flip bit %d of %d", *d.Flip, 8*len(data))
			}
			data[bit/8] ^= 1 << (bit % 8)
		}
	}
	return data, nil
}

// craft gives the envelopes and what the sender knows of the message: its ids.
func (r *raw) craft(m message) ([]*pb.WakuMessage, fields, error) {
	to, err := publicKey(m.To)
	if err != nil {
		return nil, nil, fmt.Errorf("to: %w", err)
	}
	r.listenSymmetric(to)
	f := fields{}
	if m.PayloadHex != "" {
		data, err := hex.DecodeString(m.PayloadHex)
		if err != nil {
			return nil, nil, fmt.Errorf("payload_hex: %w", err)
		}
		envelope, err := r.envelope(m, to, data)
		return []*pb.WakuMessage{envelope}, f, err
	}
	data, err := r.application(m, to, f)
	if err != nil {
		return nil, nil, err
	}
	if data, err = r.synchronisation(m, to, data, f); err != nil {
		return nil, nil, err
	}
	if data, err = r.encrypted(m, to, data); err != nil {
		return nil, nil, err
	}
	parts, err := m.split(data)
	if err != nil {
		return nil, nil, err
	}
	var envelopes []*pb.WakuMessage
	for _, part := range parts {
		envelope, err := r.seal(m, to, part)
		if err != nil {
			return nil, nil, err
		}
		envelopes = append(envelopes, envelope)
	}
	return envelopes, f, nil
}

func signer(own *ecdsa.PrivateKey, text string) (*ecdsa.PrivateKey, error) {
	switch text {
	case "":
		return own, nil
	case "none":
		return nil, nil
	}
	return crypto.HexToECDSA(text)
}

// bodies are the application messages of 1:1 chats.
var bodies = map[protobuf.ApplicationMetadataMessage_Type]func() proto.Message{
	protobuf.ApplicationMetadataMessage_CHAT_MESSAGE:               func() proto.Message { return &protobuf.ChatMessage{} },
	protobuf.ApplicationMetadataMessage_CONTACT_UPDATE:             func() proto.Message { return &protobuf.ContactUpdate{} },
	protobuf.ApplicationMetadataMessage_ACCEPT_CONTACT_REQUEST:     func() proto.Message { return &protobuf.AcceptContactRequest{} },
	protobuf.ApplicationMetadataMessage_RETRACT_CONTACT_REQUEST:    func() proto.Message { return &protobuf.RetractContactRequest{} },
	protobuf.ApplicationMetadataMessage_EDIT_MESSAGE:               func() proto.Message { return &protobuf.EditMessage{} },
	protobuf.ApplicationMetadataMessage_DELETE_MESSAGE:             func() proto.Message { return &protobuf.DeleteMessage{} },
	protobuf.ApplicationMetadataMessage_EMOJI_REACTION:             func() proto.Message { return &protobuf.EmojiReaction{} },
	protobuf.ApplicationMetadataMessage_PIN_MESSAGE:                func() proto.Message { return &protobuf.PinMessage{} },
	protobuf.ApplicationMetadataMessage_CHAT_IDENTITY:              func() proto.Message { return &protobuf.ChatIdentity{} },
	protobuf.ApplicationMetadataMessage_CONTACT_CODE_ADVERTISEMENT: func() proto.Message { return &protobuf.ContactCodeAdvertisement{} },
	protobuf.ApplicationMetadataMessage_STATUS_UPDATE:              func() proto.Message { return &protobuf.StatusUpdate{} },
}

// fill sets the fields that every client sets, where the order has not.
func (m message) fill(body proto.Message, to *ecdsa.PublicKey) {
	reflection := body.ProtoReflect()
	set := func(name string, value any) {
		if field := reflection.Descriptor().Fields().ByName(protoreflect.Name(name)); field != nil && !reflection.Has(field) {
			reflection.Set(field, protoreflect.ValueOf(value))
		}
	}
	now := time.Now().UnixMilli()
	set("clock", uint64(now+m.ClockAheadMs))
	set("timestamp", uint64(now))
	set("chat_id", common.PubkeyToHex(to))
	set("message_type", protoreflect.EnumNumber(protobuf.MessageType_ONE_TO_ONE))
	if chat, is := body.(*protobuf.ChatMessage); is && chat.ContentType == protobuf.ChatMessage_UNKNOWN_CONTENT_TYPE {
		chat.ContentType = protobuf.ChatMessage_TEXT_PLAIN
	}
}

func (r *raw) application(m message, to *ecdsa.PublicKey, f fields) ([]byte, error) {
	if m.OnlyAcks {
		return nil, nil
	}
	name := m.Type
	if name == "" {
		name = "CHAT_MESSAGE"
	}
	number, found := protobuf.ApplicationMetadataMessage_Type_value[name]
	if !found {
		return nil, fmt.Errorf("type %q is not one of ApplicationMetadataMessage", name)
	}
	kind := protobuf.ApplicationMetadataMessage_Type(number)
	body, err := hex.DecodeString(m.BodyHex)
	if err != nil {
		return nil, fmt.Errorf("body_hex: %w", err)
	}
	if make := bodies[kind]; make != nil && m.BodyHex == "" {
		message := make()
		if len(m.Body) > 0 {
			if err := protojson.Unmarshal(m.Body, message); err != nil {
				return nil, fmt.Errorf("body: %w", err)
			}
		}
		m.fill(message, to)
		if body, err = proto.Marshal(message); err != nil {
			return nil, err
		}
	}
	if m.PadBytes > 0 {
		padding := make([]byte, m.PadBytes)
		_, _ = rand.Read(padding)
		body = protowire.AppendTag(body, 2047, protowire.BytesType)
		body = protowire.AppendBytes(body, padding)
	}
	key, err := signer(r.key, m.AppKey)
	if err != nil {
		return nil, fmt.Errorf("app_key: %w", err)
	}
	data, err := v1.WrapMessageV1(body, kind, key)
	if err != nil {
		return nil, err
	}
	if key != nil {
		f["id"] = v1.MessageID(&key.PublicKey, data).String()
	}
	return m.spoil("application", data)
}

func (r *raw) synchronisation(m message, to *ecdsa.PublicKey, data []byte, f fields) ([]byte, error) {
	if m.Mvds != nil && !*m.Mvds {
		return data, nil
	}
	synced := &mvds.Payload{}
	for _, text := range m.Acks {
		id, err := hex.DecodeString(text)
		if err != nil {
			return nil, fmt.Errorf("acks: %w", err)
		}
		synced.Acks = append(synced.Acks, id)
	}
	if !m.OnlyAcks {
		seconds := m.MvdsSeconds
		if seconds == 0 {
			seconds = time.Now().Unix()
		}
		group := datasync.ToOneToOneGroupID(&r.key.PublicKey, to)
		wrapped := &mvds.Message{GroupId: group[:], Timestamp: seconds, Body: data}
		id := wrapped.ID()
		f["mvds_id"] = hex.EncodeToString(id[:])
		synced.Messages = append(synced.Messages, wrapped)
	}
	bytes, err := proto.Marshal(synced)
	if err != nil {
		return nil, err
	}
	return m.spoil("mvds", bytes)
}
