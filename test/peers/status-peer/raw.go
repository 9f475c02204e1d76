// test/peers/status-peer/raw.go - a relay without a Messenger that publishes crafted envelopes and shows what comes for its key.

package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/p2p/muxer/yamux"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
	wakunode "github.com/waku-org/go-waku/waku/v2/node"
	"github.com/waku-org/go-waku/waku/v2/protocol"
	"github.com/waku-org/go-waku/waku/v2/protocol/filter"
	"github.com/waku-org/go-waku/waku/v2/protocol/lightpush"
	"github.com/waku-org/go-waku/waku/v2/protocol/pb"
	"github.com/waku-org/go-waku/waku/v2/protocol/relay"
	"golang.org/x/time/rate"
	"google.golang.org/protobuf/proto"

	"github.com/status-im/status-go/appdatabase"
	"github.com/status-im/status-go/eth-node/crypto"
	"github.com/status-im/status-go/protocol/common/shard"
	"github.com/status-im/status-go/protocol/encryption"
	"github.com/status-im/status-go/protocol/sqlite"
)

const maxMessageBytes = 1 << 20

var pubsubTopic = shard.DefaultShardPubsubTopic()

type raw struct {
	options
	out       *output
	node      *wakunode.WakuNode
	incoming  <-chan *protocol.Envelope
	database  *sql.DB
	crypt     *encryption.Protocol
	listening map[string]opener
	keys      map[string][]byte
	published map[string]bool
	owed      []message // acknowledgements
	peers     int
}

func startRaw(o options, out *output) (program, error) {
	r := &raw{options: o, out: out, listening: map[string]opener{}, keys: map[string][]byte{}, published: map[string]bool{}, peers: -1}
	var err error
	r.database, err = appdatabase.InitializeDB(filepath.Join(o.data, "raw.db"), databasePassword, databaseIterations)
	if err != nil {
		return nil, err
	}
	if err := sqlite.Migrate(r.database); err != nil {
		return nil, err
	}
	r.crypt = encryption.New(r.database, o.installation, o.logger)
	r.listenAsymmetric()
	for _, text := range o.watch {
		key, err := publicKey(text)
		if err != nil {
			return nil, fmt.Errorf("--watch: %w", err)
		}
		r.listenSymmetric(key)
	}
	if err := r.startNode(); err != nil {
		return nil, fmt.Errorf("waku: %w", err)
	}
	ready, err := identity(&o.key.PublicKey)
	if err != nil {
		return nil, err
	}
	addresses := []string{}
	for _, address := range r.node.ListenAddresses() {
		addresses = append(addresses, address.String())
	}
	ready["addrs"] = addresses
	ready["installation"] = o.installation
	out.event("ready", ready)
	for _, address := range o.connect {
		if err := r.dial(address); err != nil {
			out.failure("connect "+address, err)
		}
	}
	return r, nil
}

// startNode also serves filter and lightpush, so that it can be the only peer of a light client.
func (r *raw) startNode() error {
	key, err := r.nodeKey()
	if err != nil {
		return err
	}
	address, err := net.ResolveTCPAddr("tcp", fmt.Sprintf("%s:%d", r.host, r.port))
	if err != nil {
		return err
	}
	r.node, err = wakunode.New(
		wakunode.WithLogger(r.logger), wakunode.WithLogLevel(r.logger.Level()),
		wakunode.WithLibP2POptions(libp2p.Transport(tcp.NewTCPTransport), libp2p.Muxer(yamux.ID, yamux.DefaultTransport)),
		wakunode.WithPrivateKey(key), wakunode.WithHostAddress(address), wakunode.WithMaxConnectionsPerIP(0),
		wakunode.WithClusterID(cluster), wakunode.WithPubSubTopics([]string{pubsubTopic}),
		wakunode.WithMaxMsgSize(maxMessageBytes), wakunode.WithWakuRelayAndMinPeers(0),
		wakunode.WithWakuFilterFullNode(filter.WithMaxSubscribers(20)), wakunode.WithLightPush(lightpush.WithRateLimiter(rate.Inf, 1)),
		wakunode.WithKeepAlive(10*time.Second, time.Minute),
	)
	if err != nil {
		return err
	}
	if err := r.node.Start(context.Background()); err != nil {
		return err
	}
	subscriptions, err := r.node.Relay().Subscribe(context.Background(), protocol.NewContentFilter(pubsubTopic))
	if err != nil {
		return err
	}
	r.incoming = subscriptions[0].Ch
	return nil
}

func (r *raw) dial(address string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	return r.node.DialPeer(ctx, address)
}

func (r *raw) tick() {
	if count := len(r.node.Relay().PubSub().ListPeers(pubsubTopic)); count != r.peers {
		r.peers = count
		r.out.event("peers", fields{"count": count})
	}
	for {
		select {
		case envelope := <-r.incoming:
			r.receive(envelope.Message())
		default:
			r.acknowledge()
			return
		}
	}
}

func (r *raw) acknowledge() {
	if len(r.owed) == 0 {
		return
	}
	if _, err := r.send(order{Messages: r.owed}); err != nil {
		r.out.failure("acknowledge", err)
	}
	r.owed = nil
}

// An order is a command of the raw sender. Its envelopes are numbered from 0 over all messages, a message's segments one by
// one, and published as `order` says: [2, 0, 1], [0, 0] for one envelope twice, {"envelope": 0, "later_ms": 1} for the same
// payload with another timestamp. Without it each is published once; what it leaves out is built and not sent.
type order struct {
	Do       string            `json:"do"`
	Tag      any               `json:"tag"`
	Address  string            `json:"address"`
	Messages []message         `json:"messages"`
	Order    []json.RawMessage `json:"order"`
	PauseMs  int               `json:"pause_ms"`
}

func (r *raw) command(line []byte) bool {
	var o order
	if err := json.Unmarshal(line, &o); err != nil {
		r.out.answer(nil, nil, fmt.Errorf("a command is a JSON object: %w", err))
		return true
	}
	switch o.Do {
	case "quit":
		r.out.answer(o.Tag, nil, nil)
		return false
	case "connect":
		r.out.answer(o.Tag, nil, r.dial(o.Address))
	case "send":
		f, err := r.send(o)
		r.out.answer(o.Tag, f, err)
	default:
		r.out.answer(o.Tag, nil, fmt.Errorf("there is no command %q", o.Do))
	}
	return true
}

func (r *raw) send(o order) (fields, error) {
	var envelopes []*pb.WakuMessage
	built := []fields{}
	for _, m := range o.Messages {
		made, f, err := r.craft(m)
		if err != nil {
			return nil, err
		}
		f["envelopes"] = []int{len(envelopes), len(envelopes) + len(made)}
		built = append(built, f)
		envelopes = append(envelopes, made...)
	}
	sequence := o.Order
	if sequence == nil {
		for i := range envelopes {
			sequence = append(sequence, json.RawMessage(fmt.Sprint(i)))
		}
	}
	sent := []fields{}
	for _, entry := range sequence {
		f, err := r.publish(envelopes, entry)
		if err != nil {
			return nil, err
		}
		sent = append(sent, f)
		time.Sleep(time.Duration(o.PauseMs) * time.Millisecond)
	}
	return fields{"messages": built, "sent": sent}, nil
}

func (r *raw) publish(envelopes []*pb.WakuMessage, entry json.RawMessage) (fields, error) {
	var place struct {
		Envelope int   `json:"envelope"`
		LaterMs  int64 `json:"later_ms"`
	}
	if json.Unmarshal(entry, &place.Envelope) != nil {
		if err := json.Unmarshal(entry, &place); err != nil {
			return nil, fmt.Errorf("order: expected a number or {envelope, later_ms}: %w", err)
		}
	}
	if place.Envelope < 0 || place.Envelope >= len(envelopes) {
		return nil, fmt.Errorf("order: there is no envelope %d of %d", place.Envelope, len(envelopes))
	}
	envelope := proto.Clone(envelopes[place.Envelope]).(*pb.WakuMessage)
	if envelope.Timestamp != nil {
		*envelope.Timestamp += place.LaterMs * int64(time.Millisecond)
	}
	if len(r.node.Relay().PubSub().ListPeers(pubsubTopic)) == 0 {
		return nil, errors.New("no relay peer takes part in " + pubsubTopic)
	}
	bytes, err := proto.Marshal(envelope)
	if err != nil {
		return nil, err
	}
	hash, err := r.node.Relay().Publish(context.Background(), envelope, relay.WithPubSubTopic(pubsubTopic))
	if err != nil {
		return nil, err
	}
	// The library does not put the same bytes on the wire twice within two minutes.
	id := string(crypto.Keccak256(bytes))
	f := fields{"envelope": place.Envelope, "hash": hash.String(), "bytes": len(bytes), "duplicate": r.published[id]}
	r.published[id] = true
	return f, nil
}

func (r *raw) stop() error {
	r.node.Stop()
	return r.database.Close()
}
