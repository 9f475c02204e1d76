// test/peers/status-peer/receive.go - opens what comes for the raw sender's key and shows every layer of it.

package main

import (
	"crypto/ecdsa"
	"encoding/hex"
	"encoding/json"
	"errors"

	mvds "github.com/status-im/mvds/protobuf"
	"github.com/waku-org/go-waku/waku/v2/payload"
	"github.com/waku-org/go-waku/waku/v2/protocol/pb"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	utils "github.com/status-im/status-go/common"
	"github.com/status-im/status-go/eth-node/crypto"
	"github.com/status-im/status-go/protocol/common"
	"github.com/status-im/status-go/protocol/encryption"
	"github.com/status-im/status-go/protocol/protobuf"
	v1 "github.com/status-im/status-go/protocol/v1"
)

// receive prints an event `received` for an envelope that opens. Others share the topics and are passed over.
func (r *raw) receive(envelope *pb.WakuMessage) {
	how, listens := r.listening[envelope.ContentTopic]
	if !listens {
		return
	}
	// The version is no help: newer clients write 0 and encode all the same.
	one := uint32(1)
	opened, err := payload.DecodePayload(&pb.WakuMessage{Payload: envelope.Payload, Version: &one}, how.key)
	if err != nil {
		return
	}
	f := fields{"topic": how.name, "content_topic": envelope.ContentTopic, "version": envelope.GetVersion(),
		"timestamp": envelope.GetTimestamp(), "ephemeral": envelope.GetEphemeral(), "bytes": len(envelope.Payload)}
	if opened.PubKey == nil {
		f["problem"] = "unsigned"
		r.out.event("received", f)
		return
	}
	from := opened.PubKey
	f["from"] = common.PubkeyToHex(from)
	if f["from"] == common.PubkeyToHex(&r.key.PublicKey) {
		return
	}
	if err := r.open(opened.Data, from, crypto.Keccak256(envelope.Payload), f); err != nil {
		f["problem"] = err.Error()
	}
	r.out.event("received", f)
}

// open goes through the layers above the Waku payload; each adds its fields.
func (r *raw) open(data []byte, from *ecdsa.PublicKey, hash []byte, f fields) error {
	segment := &protobuf.SegmentMessage{}
	if proto.Unmarshal(data, segment) == nil && (segment.SegmentsCount >= 2 || segment.ParitySegmentsCount > 0) {
		f["segment"] = fields{"index": segment.Index, "count": segment.SegmentsCount, "parity_count": segment.ParitySegmentsCount}
		return nil
	}
	wrapped := &encryption.ProtocolMessage{}
	if err := proto.Unmarshal(data, wrapped); err != nil {
		return err
	}
	f["installation"], f["bundles"] = wrapped.InstallationId, len(wrapped.Bundles)
	f["encryption"] = r.kind(wrapped)
	result, err := r.crypt.HandleMessage(r.key, from, wrapped, hash)
	if err != nil {
		return err
	}
	plain := [][]byte{result.DecryptedMessage}
	synced := &mvds.Payload{}
	f["mvds"] = false
	if proto.Unmarshal(result.DecryptedMessage, synced) == nil && len(synced.Acks)+len(synced.Messages)+len(synced.Offers)+len(synced.Requests) > 0 {
		plain = r.synchronised(synced, from, f)
	}
	messages := []fields{}
	for i, bytes := range plain {
		message, err := application(bytes)
		if err != nil {
			return err
		}
		if len(synced.Messages) > i {
			id := synced.Messages[i].ID()
			message["mvds_id"] = hex.EncodeToString(id[:])
		}
		messages = append(messages, message)
	}
	f["messages"] = messages
	return nil
}

func (r *raw) kind(wrapped *encryption.ProtocolMessage) string {
	if wrapped.PublicMessage != nil {
		return "public"
	}
	sealed := wrapped.EncryptedMessage[r.installation]
	if sealed == nil {
		sealed = wrapped.EncryptedMessage["none"]
	}
	switch {
	case sealed == nil:
		return "another device"
	case sealed.X3DHHeader != nil:
		return "x3dh"
	case sealed.DRHeader != nil:
		return "ratchet"
	case sealed.DHHeader != nil:
		return "dh"
	}
	return "unknown"
}

// synchronised gives the bodies, and acknowledges them when the flag says so.
func (r *raw) synchronised(synced *mvds.Payload, from *ecdsa.PublicKey, f fields) [][]byte {
	f["mvds"] = true
	acks, received := []string{}, []string{}
	for _, id := range synced.Acks {
		acks = append(acks, hex.EncodeToString(id))
	}
	var bodies [][]byte
	for _, message := range synced.Messages {
		id := message.ID()
		received = append(received, hex.EncodeToString(id[:]))
		bodies = append(bodies, message.Body)
	}
	f["acks"] = acks
	if r.ack && len(received) > 0 {
		r.owed = append(r.owed, message{To: common.PubkeyToHex(from), OnlyAcks: true, Acks: received})
	}
	return bodies
}

func application(data []byte) (fields, error) {
	wrapped := &protobuf.ApplicationMetadataMessage{}
	if err := proto.Unmarshal(data, wrapped); err != nil {
		return nil, err
	}
	f := fields{"type": wrapped.Type.String()}
	key, err := utils.RecoverKey(wrapped)
	if err != nil {
		return nil, err
	}
	if key == nil {
		return nil, errors.New("the application message is unsigned")
	}
	f["from"], f["id"] = common.PubkeyToHex(key), v1.MessageID(key, data).String()
	if empty := bodies[wrapped.Type]; empty != nil {
		body := empty()
		if err := proto.Unmarshal(wrapped.Payload, body); err != nil {
			return nil, err
		}
		text, err := protojson.MarshalOptions{UseProtoNames: true, UseEnumNumbers: true}.Marshal(body)
		if err != nil {
			return nil, err
		}
		f["body"] = json.RawMessage(text)
	}
	return f, nil
}
