// test/peers/status-peer/topics.go - content topics of 1:1 chats, and which key opens an envelope on which of them.

package main

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"fmt"

	"github.com/waku-org/go-waku/waku/v2/payload"
	"golang.org/x/crypto/pbkdf2"

	"github.com/status-im/status-go/eth-node/crypto"
	"github.com/status-im/status-go/protocol/common"
	"github.com/status-im/status-go/protocol/encryption"
	"github.com/status-im/status-go/protocol/transport"
)

// opener is the key for the envelopes of one topic, and the topic's kind.
type opener struct {
	name string
	key  *payload.KeyInfo
}

func contentTopic(topic []byte) string { return fmt.Sprintf("/waku/1/0x%x/rfc26", topic) }

func publicKey(text string) (*ecdsa.PublicKey, error) {
	id, err := contactID(text)
	if err != nil {
		return nil, err
	}
	return common.HexToPubkey(id)
}

// negotiated is the chat id of the topic that two users agree on: x of their shared secret.
func negotiated(own *ecdsa.PrivateKey, to *ecdsa.PublicKey) string {
	x, _ := crypto.S256().ScalarMult(to.X, to.Y, own.D.Bytes())
	return fmt.Sprintf("%064x", x)
}

// symmetric is the key that follows from a chat id; slow to find, so it is kept.
func (r *raw) symmetric(chatID string) *payload.KeyInfo {
	if r.keys[chatID] == nil {
		r.keys[chatID] = pbkdf2.Key([]byte(chatID), nil, 65356, 32, sha256.New)
	}
	return &payload.KeyInfo{Kind: payload.Symmetric, SymKey: r.keys[chatID]}
}

// sealer gives the content topic and the encryption of the Waku layer for a kind of topic.
func (r *raw) sealer(kind string, to *ecdsa.PublicKey) (string, *payload.KeyInfo, error) {
	var chatID string
	key := &payload.KeyInfo{Kind: payload.Asymmetric, PubKey: *to}
	switch kind {
	case "", "partitioned":
		chatID = transport.PartitionedTopic(to)
	case "personal":
		chatID = transport.PersonalDiscoveryTopic(to)
	case "contact-code":
		chatID = transport.ContactCodeTopic(to)
		key = r.symmetric(chatID)
	case "negotiated":
		chatID = negotiated(r.key, to)
		key = r.symmetric(chatID)
	default:
		return "", nil, fmt.Errorf("topic %q: expected partitioned, personal, negotiated or contact-code", kind)
	}
	return contentTopic(transport.ToTopic(chatID)), key, nil
}

func (r *raw) listenAsymmetric() {
	key := &payload.KeyInfo{Kind: payload.Asymmetric, PrivKey: r.key}
	for name, chatID := range map[string]string{
		"partitioned": transport.PartitionedTopic(&r.key.PublicKey),
		"personal":    transport.PersonalDiscoveryTopic(&r.key.PublicKey),
	} {
		r.listening[contentTopic(transport.ToTopic(chatID))] = opener{name: name, key: key}
	}
}

func (r *raw) listenSymmetric(to *ecdsa.PublicKey) {
	for _, kind := range []string{"contact-code", "negotiated"} {
		topic, key, _ := r.sealer(kind, to)
		r.listening[topic] = opener{name: kind, key: key}
	}
}

// dhMessage encrypts to a public key alone, with a fresh ephemeral key.
func dhMessage(to *ecdsa.PublicKey, plain []byte) (*encryption.EncryptedMessageProtocol, error) {
	secret, ephemeral, err := encryption.PerformActiveDH(to)
	if err != nil {
		return nil, err
	}
	sealed, err := crypto.EncryptSymmetric(secret, plain)
	if err != nil {
		return nil, err
	}
	return &encryption.EncryptedMessageProtocol{
		DHHeader: &encryption.DHHeader{Key: crypto.CompressPubkey(ephemeral)}, Payload: sealed}, nil
}
