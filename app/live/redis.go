package live

import (
	"context"
	"errors"

	"github.com/redis/go-redis/v9"
)

// Redis is a [Bus] over Redis' publish and subscribe.
type Redis struct {
	client  redis.UniversalClient
	channel string
}

// NewRedis makes a bus on a channel of client's server. All replicas that share one
// database must use the same channel. The client stays the caller's to close.
func NewRedis(client redis.UniversalClient, channel string) *Redis {
	return &Redis{client: client, channel: channel}
}

// Publish sends message to all who are subscribed.
func (r *Redis) Publish(ctx context.Context, message []byte) error {
	return r.client.Publish(ctx, r.channel, message).Err()
}

// errNoMessages says that the subscription ended by itself.
var errNoMessages = errors.New("live: the subscription ended")

// Subscribe calls got for every message until ctx ends or the connection is lost.
func (r *Redis) Subscribe(ctx context.Context, got func([]byte)) error {
	sub := r.client.Subscribe(ctx, r.channel)
	defer func() { _ = sub.Close() }()
	if _, err := sub.Receive(ctx); err != nil {
		return err
	}
	// The channel pings the server and reconnects by itself.
	messages := sub.Channel()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case m, ok := <-messages:
			if !ok {
				return errNoMessages
			}
			got([]byte(m.Payload))
		}
	}
}
