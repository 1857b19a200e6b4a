package api

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/atozbot/atozbot/app/live"
)

// eventStream writes server-sent events.
type eventStream struct {
	w       http.ResponseWriter
	control *http.ResponseController
	timeout time.Duration
	buffer  []byte
}

func (e *eventStream) run(ctx context.Context, l *live.Listener) {
	err := forward(ctx, l, e)
	if errors.Is(err, live.ErrSlow) {
		_ = e.write([]byte(": " + errTooSlow + "\n\n"))
	}
}

func (e *eventStream) send(_ context.Context, messages []*live.Message) error {
	e.buffer = e.buffer[:0]
	for _, m := range messages {
		e.buffer = appendEvent(e.buffer, m)
		// A long list goes out in parts, so that each keeps to the time of one write.
		if len(e.buffer) >= 64<<10 {
			if err := e.write(e.buffer); err != nil {
				return err
			}
			e.buffer = e.buffer[:0]
		}
	}
	if len(e.buffer) == 0 {
		return nil
	}
	return e.write(e.buffer)
}

// appendEvent writes one event. One without data moves only the id on from which the
// browser resumes; it is given to nobody.
func appendEvent(b []byte, m *live.Message) []byte {
	if m.ID > 0 {
		b = append(b, "id: "...)
		b = strconv.AppendInt(b, m.ID, 10)
		b = append(b, '\n')
	}
	if m.Silent {
		return append(b, '\n')
	}
	b = append(b, "event: "...)
	b = append(b, eventName(m.Type)...)
	b = append(b, "\ndata: "...)
	b = append(b, m.Envelope...)
	return append(b, "\n\n"...)
}

// eventName keeps line breaks of a type that an outside bot invented out of the stream.
func eventName(t string) string {
	for i := range len(t) {
		if t[i] == '\n' || t[i] == '\r' {
			return "outside_update"
		}
	}
	return t
}

func (e *eventStream) ping(context.Context) error { return e.write([]byte(": still here\n\n")) }

// write sends b within its own time. Writers without deadlines, as in tests, do without.
func (e *eventStream) write(b []byte) error {
	if err := e.control.SetWriteDeadline(time.Now().Add(e.timeout)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	if _, err := e.w.Write(b); err != nil {
		return err
	}
	if err := e.control.Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	return nil
}
