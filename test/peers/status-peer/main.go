// test/peers/status-peer/main.go - a real Status user without a screen, for noroshi's tests: status-go's Messenger with
// flags, commands and events.
//
//	status-peer [flags]       a user: contacts, texts, reactions, images (commands.go)
//	status-peer raw [flags]   a sender of crafted envelopes (raw.go, craft.go)
//
// Both read commands from standard input, a JSON object a line: {"do": "send", "tag": 7, "to": "zQ3sh...", "text": "hello"}.
// Both print events to standard output, a JSON object a line: {"event": "message", ...}. A command is answered by an
// event `done` or `failed` with its tag. The end of standard input, the command `quit` and SIGTERM end the program.
// Standard error has the logs of the libraries. Keys are the tests' own and protect nothing; what the user keeps is in --data.
package main

import (
	"crypto/ecdsa"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/ethereum/go-ethereum/log"
	"github.com/google/uuid"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/status-im/status-go/api/multiformat"
	"github.com/status-im/status-go/eth-node/crypto"
	"github.com/status-im/status-go/protocol/common"
	"github.com/status-im/status-go/protocol/common/shard"
	"github.com/status-im/status-go/protocol/requests"
)

const cluster = shard.MainStatusShardCluster

type options struct {
	key          *ecdsa.PrivateKey
	host         string
	port         int
	data         string
	connect      list
	name         string
	installation string
	accept       bool
	echo         bool
	contactsOnly bool
	store        bool
	gorush       string
	watch        list
	ack          bool
	logger       *zap.Logger
}

type list []string

func (l *list) String() string     { return strings.Join(*l, ",") }
func (l *list) Set(s string) error { *l = append(*l, s); return nil }

func parse(raw bool, arguments []string) (options, error) {
	var o options
	var key, level string
	flags := flag.NewFlagSet("status-peer", flag.ContinueOnError)
	flags.StringVar(&key, "key", "", "chat key, 64 hex digits")
	flags.StringVar(&o.host, "host", "127.0.0.1", "address to listen on and to dial from")
	flags.IntVar(&o.port, "port", 0, "TCP port; 0: any")
	flags.StringVar(&o.data, "data", "", "folder of the databases; with the same one a user goes on where it ended")
	flags.Var(&o.connect, "connect", "multiaddress of a relay to dial; may be given again")
	flags.StringVar(&o.installation, "installation", "", "installation id; without it one that follows from the key")
	flags.StringVar(&level, "log", "warn", "level of the libraries' logs on standard error")
	if raw {
		flags.Var(&o.watch, "watch", "public key of a user whose contact-code and negotiated topics are read; may be given again")
		flags.BoolVar(&o.ack, "ack", false, "acknowledge each message that is received")
	} else {
		flags.StringVar(&o.name, "name", "", "display name, empty or 5 to 24 characters")
		flags.BoolVar(&o.accept, "accept", false, "accept every contact request")
		flags.BoolVar(&o.echo, "echo", false, "answer each text with `echo: ` and the text")
		flags.BoolVar(&o.contactsOnly, "contacts-only", false, "take messages from contacts only")
		flags.BoolVar(&o.store, "store", false, "be a store node")
		flags.StringVar(&o.gorush, "gorush", "", "be a push notification server that posts to the gorush at this URL")
	}
	if err := flags.Parse(arguments); err != nil {
		return o, err
	}
	if flags.NArg() > 0 || key == "" || o.data == "" {
		return o, errors.New("--key and --data are needed, and nothing stands after the flags")
	}
	var err error
	if o.key, err = crypto.HexToECDSA(key); err != nil {
		return o, fmt.Errorf("--key: %w", err)
	}
	if o.installation == "" {
		o.installation = uuid.NewSHA1(uuid.Nil, crypto.FromECDSAPub(&o.key.PublicKey)).String()
	}
	if o.logger, err = logger(level); err != nil {
		return o, fmt.Errorf("--log: %w", err)
	}
	return o, os.MkdirAll(o.data, 0o700)
}

func logger(name string) (*zap.Logger, error) {
	level, err := zapcore.ParseLevel(name)
	if err != nil {
		return nil, err
	}
	// go-ethereum's logger is another one and says nothing that a test needs.
	log.Root().SetHandler(log.DiscardHandler())
	encoder := zapcore.NewConsoleEncoder(zap.NewDevelopmentEncoderConfig())
	return zap.New(zapcore.NewCore(encoder, zapcore.Lock(os.Stderr), level)), nil
}

// nodeKey is the key of the libp2p host: one a device, and the same after a restart.
func (o options) nodeKey() (*ecdsa.PrivateKey, error) {
	return crypto.ToECDSA(crypto.Keccak256(crypto.FromECDSA(o.key), []byte(o.installation)))
}

// identity describes a public key in its three forms.
func identity(key *ecdsa.PublicKey) (fields, error) {
	legacy := common.PubkeyToHex(key)
	chatKey, err := multiformat.SerializeLegacyKey(legacy)
	return fields{"pubkey": legacy, "compressed": fmt.Sprintf("%x", crypto.CompressPubkey(key)), "chat_key": chatKey}, err
}

// contactID turns `zQ3sh...` or `0x04...` into the latter, which is the id of the contact and of the chat.
func contactID(text string) (string, error) {
	if !strings.HasPrefix(text, "zQ3sh") && !strings.HasPrefix(text, "0x04") {
		return "", fmt.Errorf("%q is no public key: expected zQ3sh... or 0x04...", text)
	}
	return requests.ConvertCompressedToLegacyKey(text)
}

// program is what a subcommand runs between its start and its end.
type program interface {
	// command carries out one line; false ends the program.
	command(line []byte) bool
	// tick is called ten times a second.
	tick()
	stop() error
}

func run(p program) error {
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGTERM, syscall.SIGINT)
	ticker := time.NewTicker(100 * time.Millisecond)
	lines := commands()
	for going := true; going; {
		select {
		case line, more := <-lines:
			going = more && p.command(line)
		case <-ticker.C:
			p.tick()
		case <-ended:
			going = false
		}
	}
	return p.stop()
}

func main() {
	out := &output{writer: os.Stdout}
	arguments := os.Args[1:]
	raw := len(arguments) > 0 && arguments[0] == "raw"
	if raw {
		arguments = arguments[1:]
	}
	o, err := parse(raw, arguments)
	if err != nil {
		fmt.Fprintln(os.Stderr, "status-peer:", err)
		os.Exit(2)
	}
	var p program
	if raw {
		p, err = startRaw(o, out)
	} else {
		p, err = startPeer(o, out)
	}
	if err == nil {
		err = run(p)
	}
	if err != nil {
		out.failure("program", err)
		os.Exit(1)
	}
}
