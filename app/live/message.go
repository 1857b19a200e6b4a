package live

import (
	"bytes"
	"encoding/json"
	"strconv"
	"time"

	"github.com/atozbot/atozbot/app"
)

// Message is one thing to tell a listener. It is shared between all of them: nobody
// may change it.
type Message struct {
	ID       int64  // 0 where it has none: snapshots, and what is told while the database is away.
	Type     string // The event's type.
	Envelope []byte // The whole as JSON, on one line: {"type","data","timestamp","id"}.
	// Silent says that the listener was told this already, without an id: only the
	// place it can resume from moves on. Envelope is nil.
	Silent bool
}

// timestampLayout is RFC 3339 in UTC with milliseconds, always of the same length.
const timestampLayout = "2006-01-02T15:04:05.000Z"

// newMessage encodes e once, for every listener.
func newMessage(e app.Event) *Message {
	return &Message{ID: e.ID, Type: e.Type, Envelope: envelope(e.Type, e.Data, e.At, e.ID)}
}

func newMessages(events []app.Event) []*Message {
	messages := make([]*Message, len(events))
	for i, e := range events {
		messages[i] = newMessage(e)
	}
	return messages
}

// envelope builds the JSON that listeners get. Data that are no JSON at all would
// break the stream for everyone, so they are replaced by an empty object.
func envelope(kind string, data json.RawMessage, at time.Time, id int64) []byte {
	if len(data) == 0 || !json.Valid(data) {
		data = json.RawMessage("{}")
	}
	name, err := json.Marshal(kind)
	if err != nil {
		name = []byte(`""`)
	}

	b := make([]byte, 0, len(data)+len(name)+80)
	b = append(b, `{"type":`...)
	b = append(b, name...)
	b = append(b, `,"data":`...)
	b = appendOneLine(b, data)
	b = append(b, `,"timestamp":"`...)
	b = at.UTC().AppendFormat(b, timestampLayout)
	b = append(b, '"')
	if id > 0 {
		b = append(b, `,"id":`...)
		b = strconv.AppendInt(b, id, 10)
	}
	return append(b, '}')
}

// appendOneLine appends JSON without line breaks, since a line break ends a field of a
// server-sent event. Inside JSON strings they are always escaped, so what stands
// outside of them is white space.
func appendOneLine(b []byte, data json.RawMessage) []byte {
	for len(data) > 0 {
		end := bytes.IndexAny(data, "\n\r")
		if end < 0 {
			return append(b, data...)
		}
		b = append(append(b, data[:end]...), ' ')
		data = data[end+1:]
	}
	return b
}
