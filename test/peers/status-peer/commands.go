// test/peers/status-peer/commands.go - what the user does: contacts, texts, reactions, edits, images.

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	libp2p "github.com/libp2p/go-libp2p/core/peer"
	"github.com/multiformats/go-multiaddr"

	"github.com/status-im/status-go/eth-node/types"
	"github.com/status-im/status-go/images"
	"github.com/status-im/status-go/multiaccounts/accounts"
	"github.com/status-im/status-go/multiaccounts/settings"
	"github.com/status-im/status-go/protocol"
	"github.com/status-im/status-go/protocol/common"
	"github.com/status-im/status-go/protocol/protobuf"
	"github.com/status-im/status-go/protocol/pushnotificationclient"
	"github.com/status-im/status-go/protocol/requests"
)

// A command names only what it needs.
type command struct {
	Do         string `json:"do"`
	Tag        any    `json:"tag"`
	To         string `json:"to"`          // public key of the other user
	ID         string `json:"id"`          // of a message; for unreact: of a reaction
	Text       string `json:"text"`        //
	ResponseTo string `json:"response_to"` // of send: the message that it replies to
	Type       int32  `json:"type"`        // of react: 1 love, 2 thumbs up, 3 thumbs down, 4 laugh, 5 sad, 6 angry
	File       string `json:"file"`        // of image
	Adjust     bool   `json:"adjust"`      // of image: made small first, as the app does; else sent as it is
	On         bool   `json:"on"`          // of contacts_only and push_register
	Address    string `json:"address"`     // of connect and disconnect: a multiaddress
}

// actions that give a response; the ids of its messages are in the answer.
var actions = map[string]func(p *peer, c command) (*protocol.MessengerResponse, error){
	"contact": func(p *peer, c command) (*protocol.MessengerResponse, error) {
		return p.messenger.SendContactRequest(context.Background(), &requests.SendContactRequest{ID: c.To, Message: c.Text})
	},
	"accept": func(p *peer, c command) (*protocol.MessengerResponse, error) {
		return p.messenger.AcceptContactRequest(context.Background(), &requests.AcceptContactRequest{ID: types.FromHex(c.ID)})
	},
	"decline": func(p *peer, c command) (*protocol.MessengerResponse, error) {
		return p.messenger.DeclineContactRequest(context.Background(), &requests.DeclineContactRequest{ID: types.FromHex(c.ID)})
	},
	// Ends the contact on both sides.
	"retract": func(p *peer, c command) (*protocol.MessengerResponse, error) {
		id, err := contactID(c.To)
		if err != nil {
			return nil, err
		}
		return p.messenger.RetractContactRequest(&requests.RetractContactRequest{ID: types.FromHex(id)})
	},
	"send": func(p *peer, c command) (*protocol.MessengerResponse, error) {
		return p.text(c.To, c.Text, c.ResponseTo)
	},
	"image": func(p *peer, c command) (*protocol.MessengerResponse, error) {
		return p.image(c.To, c.Text, c.File, c.Adjust)
	},
	"edit": func(p *peer, c command) (*protocol.MessengerResponse, error) {
		return p.messenger.EditMessage(context.Background(), &requests.EditMessage{
			ID: types.FromHex(c.ID), Text: c.Text, ContentType: protobuf.ChatMessage_TEXT_PLAIN})
	},
	"delete": func(p *peer, c command) (*protocol.MessengerResponse, error) {
		return p.messenger.DeleteMessageAndSend(context.Background(), c.ID)
	},
	"react": func(p *peer, c command) (*protocol.MessengerResponse, error) {
		id, err := contactID(c.To)
		if err != nil {
			return nil, err
		}
		return p.messenger.SendEmojiReaction(context.Background(), id, c.ID, protobuf.EmojiReaction_Type(c.Type))
	},
	"unreact": func(p *peer, c command) (*protocol.MessengerResponse, error) {
		return p.messenger.SendEmojiReactionRetraction(context.Background(), c.ID)
	},
}

// Questions and settings.
var others = map[string]func(p *peer, c command) (fields, error){
	"filters":  func(p *peer, _ command) (fields, error) { return fields{"filters": p.filters()}, nil },
	"contacts": func(p *peer, _ command) (fields, error) { return fields{"contacts": p.contacts()}, nil },
	"message": func(p *peer, c command) (fields, error) {
		message, err := p.messenger.MessageByID(c.ID)
		if err != nil {
			return nil, err
		}
		return fields{"message": messageFields(message)}, nil
	},
	"connect": func(p *peer, c command) (fields, error) { return nil, p.dial(c.Address) },
	"disconnect": func(p *peer, c command) (fields, error) {
		address, err := multiaddr.NewMultiaddr(c.Address)
		if err != nil {
			return nil, err
		}
		info, err := libp2p.AddrInfoFromP2pAddr(address)
		if err != nil {
			return nil, err
		}
		return nil, p.waku.DropPeer(info.ID)
	},
	"contacts_only": func(p *peer, c command) (fields, error) {
		user, err := accounts.NewDB(p.app)
		if err != nil {
			return nil, err
		}
		return nil, user.SaveSettingField(settings.MessagesFromContactsOnly, c.On)
	},
	// The device with the token is to be woken by the server; with `on` for contacts only.
	"push_register": func(p *peer, c command) (fields, error) {
		return nil, p.registerForPush(c.To, c.Text, c.On)
	},
	"push_registered": func(p *peer, _ command) (fields, error) {
		registered, err := p.messenger.RegisteredForPushNotifications()
		return fields{"registered": registered}, err
	},
}

func (p *peer) command(line []byte) bool {
	var c command
	if err := json.Unmarshal(line, &c); err != nil {
		p.out.answer(nil, nil, fmt.Errorf("a command is a JSON object: %w", err))
		return true
	}
	if c.Do == "quit" {
		p.out.answer(c.Tag, nil, nil)
		return false
	}
	if act, found := actions[c.Do]; found {
		response, err := act(p, c)
		f := fields{}
		if err == nil {
			f = ids(response)
			p.show(response)
		}
		p.out.answer(c.Tag, f, err)
		return true
	}
	if ask, found := others[c.Do]; found {
		f, err := ask(p, c)
		p.out.answer(c.Tag, f, err)
		return true
	}
	p.out.answer(c.Tag, nil, fmt.Errorf("there is no command %q", c.Do))
	return true
}

// ids names what a response made: `id` is the first message's or reaction's. Messages that the user's own device makes for
// its screen do not count.
func ids(response *protocol.MessengerResponse) fields {
	f := fields{}
	all := []string{}
	for _, message := range response.Messages() {
		switch message.ContentType {
		case protobuf.ChatMessage_SYSTEM_MESSAGE_MUTUAL_EVENT_SENT, protobuf.ChatMessage_SYSTEM_MESSAGE_MUTUAL_EVENT_ACCEPTED,
			protobuf.ChatMessage_SYSTEM_MESSAGE_MUTUAL_EVENT_REMOVED:
		default:
			all = append(all, message.ID)
		}
	}
	for _, reaction := range response.EmojiReactions() {
		all = append(all, reaction.ID())
	}
	if len(all) > 0 {
		f["id"], f["ids"] = all[0], all
	}
	return f
}

// chat gives the id of the chat with a user, which is made at the first text.
func (p *peer) chat(to string) (string, error) {
	id, err := contactID(to)
	if err != nil || p.messenger.Chat(id) != nil {
		return id, err
	}
	_, err = p.messenger.CreateOneToOneChat(&requests.CreateOneToOneChat{ID: types.FromHex(id)})
	return id, err
}

func (p *peer) text(to, text, responseTo string) (*protocol.MessengerResponse, error) {
	id, err := p.chat(to)
	if err != nil {
		return nil, err
	}
	message := common.NewMessage()
	message.ChatId = id
	message.ContentType = protobuf.ChatMessage_TEXT_PLAIN
	message.Text = text
	message.ResponseTo = responseTo
	return p.messenger.SendChatMessage(context.Background(), message)
}

func (p *peer) image(to, text, file string, adjust bool) (*protocol.MessengerResponse, error) {
	id, err := p.chat(to)
	if err != nil {
		return nil, err
	}
	message := common.NewMessage()
	message.ChatId = id
	message.ContentType = protobuf.ChatMessage_IMAGE
	message.Text = text
	image := &protobuf.ImageMessage{}
	message.Payload = &protobuf.ChatMessage_Image{Image: image}
	if adjust {
		message.ImagePath = file
	} else {
		if image.Payload, err = os.ReadFile(file); err != nil {
			return nil, err
		}
		image.Format = images.GetProtobufImageFormat(image.Payload)
	}
	return p.messenger.SendChatMessage(context.Background(), message)
}

func (p *peer) registerForPush(server, token string, fromContactsOnly bool) error {
	id, err := contactID(server)
	if err != nil {
		return err
	}
	key, err := common.HexToPubkey(id)
	if err != nil {
		return err
	}
	if fromContactsOnly {
		if err := p.messenger.EnablePushNotificationsFromContactsOnly(); err != nil {
			return err
		}
	}
	ctx := context.Background()
	if err := p.messenger.AddPushNotificationsServer(ctx, key, pushnotificationclient.ServerTypeCustom); err != nil {
		return err
	}
	return p.messenger.RegisterForPushNotifications(ctx, token, "topic", protobuf.PushNotificationRegistration_FIREBASE_TOKEN)
}

func (p *peer) filters() []fields {
	all := []fields{}
	for _, filter := range p.messenger.GetTransport().Filters() {
		all = append(all, fields{"chat": filter.ChatID, "topic": contentTopic(filter.ContentTopic[:]), "pubsub_topic": filter.PubsubTopic,
			"listen": filter.Listen, "negotiated": filter.Negotiated, "discovery": filter.Discovery, "one_to_one": filter.OneToOne})
	}
	return all
}

func (p *peer) contacts() []fields {
	all := []fields{}
	for _, contact := range p.messenger.Contacts() {
		if contact.ID != p.self {
			all = append(all, contactFields(contact))
		}
	}
	return all
}
