// test/peers/status-peer/layers.go - the lower layers of a crafted message: encryption, segments, the Waku payload.

package main

import (
	"crypto/ecdsa"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/klauspost/reedsolomon"
	"github.com/waku-org/go-waku/waku/v2/payload"
	"github.com/waku-org/go-waku/waku/v2/protocol/pb"
	"google.golang.org/protobuf/proto"

	"github.com/status-im/status-go/eth-node/crypto"
	"github.com/status-im/status-go/protocol/encryption"
	"github.com/status-im/status-go/protocol/protobuf"
)

func (r *raw) encrypted(m message, to *ecdsa.PublicKey, data []byte) ([]byte, error) {
	var spec *encryption.ProtocolMessageSpec
	var err error
	bundle := m.Encryption == "ratchet"
	switch m.Encryption {
	case "none":
		return data, nil
	case "ratchet":
		spec, err = r.crypt.BuildEncryptedMessage(r.key, to, data)
	case "public":
		spec, err = r.crypt.BuildPublicMessage(r.key, data)
	case "", "dh":
		// Its own bundle comes from here, the encryption from below.
		if spec, err = r.crypt.BuildPublicMessage(r.key, nil); err == nil {
			var sealed *encryption.EncryptedMessageProtocol
			sealed, err = dhMessage(to, data)
			spec.Message.PublicMessage = nil
			spec.Message.EncryptedMessage = map[string]*encryption.EncryptedMessageProtocol{"none": sealed}
		}
	default:
		err = fmt.Errorf("encryption %q: expected dh, ratchet, public or none", m.Encryption)
	}
	if err != nil {
		return nil, err
	}
	if m.Bundle != nil {
		bundle = *m.Bundle
	}
	if !bundle {
		spec.Message.Bundles = nil
	}
	if m.Installation != "" {
		spec.Message.InstallationId = m.Installation
	}
	bytes, err := proto.Marshal(spec.Message)
	if err != nil {
		return nil, err
	}
	return m.spoil("protocol", bytes)
}

func (m message) split(data []byte) ([][]byte, error) {
	s := m.Segments
	if s == nil {
		return [][]byte{data}, nil
	}
	if s.Bytes <= 0 {
		return nil, fmt.Errorf("segments: bytes is %d", s.Bytes)
	}
	var pieces [][]byte
	for start := 0; start < len(data); start += s.Bytes {
		pieces = append(pieces, data[start:min(start+s.Bytes, len(data))])
	}
	hash := crypto.Keccak256(data)
	if s.Hash != "" {
		var err error
		if hash, err = hex.DecodeString(s.Hash); err != nil {
			return nil, fmt.Errorf("segments: hash: %w", err)
		}
	}
	var parts [][]byte
	add := func(segment *protobuf.SegmentMessage) error {
		segment.EntireMessageHash = hash
		bytes, err := proto.Marshal(segment)
		if err == nil {
			bytes, err = m.spoil("segment", bytes)
		}
		parts = append(parts, bytes)
		return err
	}
	for i, piece := range pieces {
		segment := &protobuf.SegmentMessage{Index: uint32(i), SegmentsCount: uint32(len(pieces)), Payload: piece}
		if s.Count != nil {
			segment.SegmentsCount = *s.Count
		}
		if s.Index != nil {
			segment.Index = *s.Index
		}
		if err := add(segment); err != nil {
			return nil, err
		}
	}
	extra, err := parity(pieces, s)
	for i, piece := range extra {
		if err := add(&protobuf.SegmentMessage{ParitySegmentIndex: uint32(i), ParitySegmentsCount: uint32(s.Parity), Payload: piece}); err != nil {
			return nil, err
		}
	}
	return parts, err
}

func parity(pieces [][]byte, s *segments) ([][]byte, error) {
	if s.Parity == 0 {
		return nil, nil
	}
	code, err := reedsolomon.New(len(pieces), s.Parity)
	if err != nil {
		return nil, err
	}
	shards := make([][]byte, len(pieces)+s.Parity)
	for i := range shards {
		shards[i] = make([]byte, s.Bytes)
		if i < len(pieces) {
			copy(shards[i], pieces[i])
		}
	}
	return shards[len(pieces):], code.Encode(shards)
}

// seal puts the Waku layer around the bytes.
func (r *raw) seal(m message, to *ecdsa.PublicKey, data []byte) (*pb.WakuMessage, error) {
	_, key, err := r.sealer(m.Topic, to)
	if err != nil {
		return nil, err
	}
	if m.SealTo != "" {
		other, err := publicKey(m.SealTo)
		if err != nil {
			return nil, fmt.Errorf("seal_to: %w", err)
		}
		key.PubKey = *other
	}
	if key.PrivKey, err = signer(r.key, m.WakuKey); err != nil {
		return nil, fmt.Errorf("waku_key: %w", err)
	}
	sealed, err := payload.Payload{Data: data, Key: key}.Encode(1)
	if err != nil {
		return nil, err
	}
	if sealed, err = m.spoil("payload", sealed); err != nil {
		return nil, err
	}
	return r.envelope(m, to, sealed)
}

func (r *raw) envelope(m message, to *ecdsa.PublicKey, sealed []byte) (*pb.WakuMessage, error) {
	topic, _, err := r.sealer(m.Topic, to)
	if err != nil {
		return nil, err
	}
	version := uint32(1)
	if m.Version != nil {
		version = *m.Version
	}
	envelope := &pb.WakuMessage{Payload: sealed, ContentTopic: topic, Version: &version}
	if !m.NoTimestamp {
		envelope.Timestamp = proto.Int64(time.Now().UnixNano() + m.TimestampAheadMs*int64(time.Millisecond))
	}
	if m.Ephemeral {
		envelope.Ephemeral = proto.Bool(true)
	}
	return envelope, nil
}
