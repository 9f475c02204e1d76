// test/peers/status-peer/peer.go - the user: a relay node, three databases and status-go's Messenger on them.

package main

import (
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/multiformats/go-multiaddr"
	"go.uber.org/zap"

	"github.com/status-im/status-go/appdatabase"
	"github.com/status-im/status-go/eth-node/bridge/geth"
	"github.com/status-im/status-go/eth-node/crypto"
	"github.com/status-im/status-go/eth-node/types"
	enstypes "github.com/status-im/status-go/eth-node/types/ens"
	"github.com/status-im/status-go/multiaccounts"
	"github.com/status-im/status-go/multiaccounts/accounts"
	"github.com/status-im/status-go/multiaccounts/settings"
	"github.com/status-im/status-go/params"
	"github.com/status-im/status-go/protocol"
	"github.com/status-im/status-go/protocol/common"
	"github.com/status-im/status-go/protocol/common/shard"
	"github.com/status-im/status-go/protocol/pushnotificationserver"
	"github.com/status-im/status-go/wakuv2"
	"github.com/status-im/status-go/walletdatabase"
)

const (
	// The databases want a password; the slow derivation of their keys is for real users.
	databasePassword   = "status-peer"
	databaseIterations = 1
	// A fleet that nobody runs: no address of a real one is looked up.
	fleet = "none"
)

type peer struct {
	options
	out       *output
	self      string
	waku      *wakuv2.Waku
	messenger *protocol.Messenger
	app       *sql.DB
	wallet    *sql.DB
	accounts  *multiaccounts.Database
	peers     int
}

// node is what the Messenger asks of the program around it.
type node struct{ waku types.Waku }

func (n node) NewENSVerifier(*zap.Logger) enstypes.ENSVerifier { return nil }
func (n node) GetWaku(any) (types.Waku, error) {
	return nil, errors.New("there is no Waku of version 1")
}
func (n node) GetWakuV2(any) (types.Waku, error) { return n.waku, nil }
func (n node) AddPeer(string) error              { return errors.New("peers are given by --connect") }
func (n node) RemovePeer(string) error           { return errors.New("peers are given by --connect") }
func (n node) PeersCount() int                   { return n.waku.PeerCount() }

func startPeer(o options, out *output) (program, error) {
	p := &peer{options: o, out: out, self: common.PubkeyToHex(&o.key.PublicKey), peers: -1}
	if err := p.openDatabases(); err != nil {
		return nil, fmt.Errorf("databases in %s: %w", o.data, err)
	}
	if err := p.startWaku(); err != nil {
		return nil, fmt.Errorf("waku: %w", err)
	}
	if err := p.startMessenger(); err != nil {
		return nil, fmt.Errorf("messenger: %w", err)
	}
	ready, err := identity(&o.key.PublicKey)
	if err != nil {
		return nil, err
	}
	addresses := []string{}
	for _, address := range p.waku.ListenAddresses() {
		addresses = append(addresses, address.String())
	}
	ready["addrs"] = addresses
	ready["installation"] = o.installation
	out.event("ready", ready)
	for _, address := range o.connect {
		if err := p.dial(address); err != nil {
			out.failure("connect "+address, err)
		}
	}
	return p, nil
}

func (p *peer) openDatabases() (err error) {
	path := func(name string) string { return filepath.Join(p.data, name) }
	if p.app, err = appdatabase.InitializeDB(path("app.db"), databasePassword, databaseIterations); err != nil {
		return err
	}
	if p.wallet, err = walletdatabase.InitializeDB(path("wallet.db"), databasePassword, databaseIterations); err != nil {
		return err
	}
	p.accounts, err = multiaccounts.InitializeDB(path("accounts.db"))
	return err
}

func (p *peer) startWaku() error {
	key, err := p.nodeKey()
	if err != nil {
		return err
	}
	p.waku, err = wakuv2.New(key, "", &wakuv2.Config{
		Host: p.host, Port: p.port, ClusterID: cluster,
		EnablePeerExchangeServer: true,
		EnableStore:              p.store, StoreCapacity: 10_000, StoreSeconds: 24 * 3600,
	}, p.logger, p.app, nil, nil, nil)
	if err != nil {
		return err
	}
	if err := p.waku.Start(); err != nil {
		return err
	}
	if !p.store {
		return nil
	}
	// What is archived is what is subscribed to.
	return p.waku.SubscribeToPubsubTopic(shard.DefaultShardPubsubTopic(), nil)
}

func (p *peer) startMessenger() error {
	keyUID := sha256.Sum256(crypto.FromECDSAPub(&p.key.PublicKey))
	account := &multiaccounts.Account{KeyUID: types.EncodeHex(keyUID[:]), Timestamp: time.Now().Unix()}
	options := []protocol.Option{
		protocol.WithCustomLogger(p.logger),
		protocol.WithDatabase(p.app),
		protocol.WithWalletDatabase(p.wallet),
		protocol.WithMultiAccounts(p.accounts),
		protocol.WithAccount(account),
		protocol.WithDatasync(),
		protocol.WithToplevelDatabaseMigrations(),
		protocol.WithBrowserDatabase(nil),
		protocol.WithCheckingForBackupDisabled(),
		protocol.WithAutoMessageDisabled(),
		protocol.WithSignalsHandler(signals{peer: p}),
	}
	if p.gorush != "" {
		options = append(options, protocol.WithPushNotificationServerConfig(
			&pushnotificationserver.Config{Enabled: true, GorushURL: p.gorush, Logger: p.logger}))
	}
	user, err := accounts.NewDB(p.app)
	if err != nil {
		return err
	}
	// Settings are one row, which a second start finds there.
	if known, err := user.GetPublicKey(); err != nil || known == "" {
		options = append(options, protocol.WithAppSettings(settings.Settings{
			DisplayName: p.name, PublicKey: p.self, InstallationID: p.installation, Fleet: stringPointer(fleet),
			ProfilePicturesShowTo: 1, ProfilePicturesVisibility: 1, URLUnfurlingMode: settings.URLUnfurlingAlwaysAsk,
		}, params.NodeConfig{}))
	}
	wrapped := node{waku: gethbridge.NewGethWakuV2Wrapper(p.waku)}
	if p.messenger, err = protocol.NewMessenger("status-peer", p.key, wrapped, p.installation, nil, "test", options...); err != nil {
		return err
	}
	// Off by default; without it no notification is made.
	if err := user.SaveSettingField(settings.NotificationsEnabled, true); err != nil {
		return err
	}
	if err := user.SaveSettingField(settings.MessagesFromContactsOnly, p.contactsOnly); err != nil {
		return err
	}
	p.messenger.EnableBackedupMessagesProcessing()
	_, err = p.messenger.Start()
	return err
}

func stringPointer(s string) *string { return &s }

// dial makes a relay peer of an address; the first call keeps it known, the second one connects now.
func (p *peer) dial(text string) error {
	address, err := multiaddr.NewMultiaddr(text)
	if err != nil {
		return err
	}
	if _, err := p.waku.AddRelayPeer(address); err != nil {
		return err
	}
	return p.waku.DialPeer(address)
}

func (p *peer) tick() {
	if count := p.waku.PeerCount(); count != p.peers {
		p.peers = count
		p.out.event("peers", fields{"count": count})
	}
	response, err := p.messenger.RetrieveAll()
	if err != nil {
		p.out.failure("retrieve", err)
		return
	}
	p.show(response)
	p.answerContacts(response)
}

// stop closes the app database too: the Messenger owns it.
func (p *peer) stop() error {
	errs := []error{p.messenger.Shutdown(), p.waku.Stop(), p.wallet.Close(), p.accounts.Close()}
	return errors.Join(errs...)
}
