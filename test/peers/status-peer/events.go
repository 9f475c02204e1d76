// test/peers/status-peer/events.go - what happened to the user, as events: messages, contacts, notifications, receipts.

package main

import (
	"context"
	"strings"

	"github.com/status-im/status-go/eth-node/types"
	"github.com/status-im/status-go/protocol"
	"github.com/status-im/status-go/protocol/common"
	"github.com/status-im/status-go/protocol/protobuf"
	"github.com/status-im/status-go/protocol/requests"
)

func (p *peer) show(response *protocol.MessengerResponse) {
	if response == nil {
		return
	}
	for _, contact := range response.Contacts {
		if contact.ID != p.self {
			p.out.event("contact", contactFields(contact))
		}
	}
	for _, message := range response.Messages() {
		p.out.event("message", messageFields(message))
	}
	for _, removed := range response.RemovedMessages() {
		p.out.event("removed", fields{"id": removed.MessageID, "chat": removed.ChatID})
	}
	for _, reaction := range response.EmojiReactions() {
		p.out.event("reaction", fields{"id": reaction.ID(), "message_id": reaction.MessageId, "from": reaction.From,
			"chat": reaction.LocalChatID, "type": int(reaction.Type), "retracted": reaction.Retracted, "clock": reaction.Clock})
	}
	for _, entry := range response.ActivityCenterNotifications() {
		f := fields{"id": entry.ID.String(), "type": int(entry.Type), "author": entry.Author, "name": entry.Name,
			"accepted": entry.Accepted, "dismissed": entry.Dismissed}
		if entry.Message != nil {
			f["message_id"], f["text"] = entry.Message.ID, entry.Message.Text
		}
		p.out.event("activity", f)
	}
	for _, notification := range response.Notifications() {
		p.out.event("notification", fields{"id": notification.ID.Hex(), "category": string(notification.Category),
			"title": notification.Title, "body": notification.Message, "author": notification.Author.ID, "deleted": notification.Deleted})
	}
}

func contactFields(contact *protocol.Contact) fields {
	local, remote := contact.ContactRequestLocalState, contact.ContactRequestRemoteState
	return fields{"id": contact.ID, "local": int(local), "remote": int(remote), "name": contact.DisplayName,
		"mutual": local == protocol.ContactRequestStateSent && remote == protocol.ContactRequestStateReceived,
		"images": len(contact.Images)}
}

func messageFields(message *common.Message) fields {
	f := fields{"id": message.ID, "from": message.From, "chat": message.LocalChatID, "chat_id": message.ChatId,
		"text": message.Text, "content_type": int(message.ContentType), "clock": message.Clock, "sent_at": message.Timestamp,
		"timestamp": message.WhisperTimestamp, "response_to": message.ResponseTo, "name": message.DisplayName,
		"contact_request_state": int(message.ContactRequestState), "outgoing_status": message.OutgoingStatus,
		"edited_at": message.EditedAt, "deleted": message.Deleted}
	if image := message.GetImage(); image != nil {
		f["image_bytes"], f["image_format"] = len(image.Payload), int(image.Format)
	}
	if state := message.ContactRequestPropagatedState; state != nil {
		f["propagated"] = fields{"local": state.LocalState, "local_clock": state.LocalClock,
			"remote": state.RemoteState, "remote_clock": state.RemoteClock}
	}
	return f
}

// answerContacts accepts requests and echoes texts, as far as the flags say so.
func (p *peer) answerContacts(response *protocol.MessengerResponse) {
	if p.accept {
		for _, entry := range response.ActivityCenterNotifications() {
			isRequest := entry.Type == protocol.ActivityCenterNotificationTypeContactRequest && entry.Message != nil
			if isRequest && !entry.Accepted && entry.Author != p.self {
				p.shown("accept", func() (*protocol.MessengerResponse, error) {
					return p.messenger.AcceptContactRequest(context.Background(), &requests.AcceptContactRequest{ID: types.FromHex(entry.Message.ID)})
				})
			}
		}
	}
	if p.echo {
		for _, message := range response.Messages() {
			isText := message.New && message.ContentType == protobuf.ChatMessage_TEXT_PLAIN
			if isText && message.From != p.self && !strings.HasPrefix(message.Text, "echo: ") {
				p.shown("echo", func() (*protocol.MessengerResponse, error) { return p.text(message.From, "echo: "+message.Text, "") })
			}
		}
	}
}

func (p *peer) shown(where string, action func() (*protocol.MessengerResponse, error)) {
	response, err := action()
	if err != nil {
		p.out.failure(where, err)
		return
	}
	p.show(response)
}

// signals are what the Messenger tells outside RetrieveAll, from its own goroutines. Those of communities, backups and
// imports are left to the nil inside: none of them exists here.
type signals struct {
	protocol.MessengerSignalsHandler
	peer *peer
}

// MessageDelivered means that a device of the other side has decrypted it and said so.
func (s signals) MessageDelivered(chatID, messageID string) {
	s.peer.out.event("delivered", fields{"chat": chatID, "ids": []string{messageID}})
}
func (s signals) MessengerResponse(response *protocol.MessengerResponse) { s.peer.show(response) }
func (signals) StatusUpdatesTimedOut(*[]protocol.UserStatus)             {}
func (signals) HistoryRequestStarted(int)                                {}
func (signals) HistoryRequestCompleted()                                 {}
