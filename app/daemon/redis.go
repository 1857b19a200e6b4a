package daemon

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/atozbot/atozbot/app/config"
	"github.com/atozbot/atozbot/app/health"
)

// carrier is the Redis that carries what happened to the other replicas: one elsewhere,
// or one inside the process. Nothing in it needs keeping.
type carrier struct {
	client *redis.Client
	inside *miniredis.Miniredis // nil for one elsewhere.
	key    string               // The key of the probe.
}

// openRedis connects to nothing yet.
func openRedis(s config.Settings, replica string, log *slog.Logger) (*carrier, error) {
	redis.SetLogger(quiet{log})
	c := &carrier{key: "atozbot:probe:" + replica}
	options := &redis.Options{}
	if s.RedisURL.InMemory() {
		c.inside = miniredis.NewMiniRedis()
		// Others on this machine can reach the port; they do not know the password.
		password := rand.Text()
		c.inside.RequireAuth(password)
		if err := c.inside.Start(); err != nil {
			return nil, fmt.Errorf("start the in-memory Redis: %w", err)
		}
		// Without it no key would ever expire.
		c.inside.ClockTTL(true)
		options.Addr, options.Password = c.inside.Addr(), password
	} else {
		parsed, err := redis.ParseURL(s.RedisURL.Reveal())
		if err != nil {
			return nil, config.Mistakes{{Name: "REDIS_URL", Reason: "is no address of a Redis"}}
		}
		options = parsed
	}
	// The keeper retries; retries inside the client would only hide a fault from it.
	options.MaxRetries = -1
	options.DialerRetries = 1
	options.DialTimeout, options.ReadTimeout, options.WriteTimeout = time.Second, time.Second, time.Second
	options.ContextTimeoutEnabled = true
	options.PoolSize = 16
	options.PoolTimeout = time.Second
	options.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	c.client = redis.NewClient(options)
	return c, nil
}

// probe writes a key that expires, since a Redis that only reads is no use for carrying.
func (c *carrier) probe(ctx context.Context) error {
	return c.client.Set(ctx, c.key, "1", 10*time.Second).Err()
}

func (c *carrier) close() error {
	err := c.client.Close()
	if c.inside != nil {
		c.inside.Close()
	}
	return err
}

// keepRedis makes the keeper.
func keepRedis(s config.Settings, c *carrier, log *slog.Logger) *health.Keeper {
	return health.NewKeeper(health.Options{
		Name: "redis", Label: "Redis", Log: log,
		Stages:  []health.Stage{{Attempts: s.RedisConnectAttempts, Delay: s.RedisConnectDelay, Try: c.probe}},
		Probe:   c.probe,
		Explain: explainRedis,
	})
}

// explainRedis puts the answers of Redis into words.
func explainRedis(err error) health.Problem {
	if said, ok := errors.AsType[redis.Error](err); ok {
		text := said.Error()
		for _, known := range []struct{ begins, words, advice string }{
			{"LOADING", "loading its data", "Wait: Redis is starting and will be ready by itself."},
			{"READONLY", "read-only", "Point REDIS_URL to the primary: this one is a replica, or a failover is under way."},
			{"MASTERDOWN", "replica without its primary", "Bring the primary back, or point REDIS_URL to it."},
			{"MISCONF", "cannot save to its disk", "Make room on the disk of Redis, or switch its saving off."},
			{"OOM", "out of memory", "Raise maxmemory of Redis, or free some."},
			{"WRONGPASS", "wrong password", "Check user and password in REDIS_URL."},
			{"NOAUTH", "password missing", "Put the password into REDIS_URL."},
			{"NOPERM", "permission missing", "Let the user of REDIS_URL set keys atozbot:* and publish."},
			{"CLUSTERDOWN", "cluster down", "See to the nodes of the cluster."},
			{"ERR max number of clients", "too many connections", "Raise maxclients of Redis, or close some."},
			{"ERR DB index", "no such database", "Check the number at the end of REDIS_URL."},
			{"ERR AUTH", "wrong password", "Redis has no password: take it out of REDIS_URL."},
			{"ERR invalid password", "wrong password", "Check the password in REDIS_URL."},
		} {
			if strings.HasPrefix(text, known.begins) {
				return health.Problem{Words: known.words, Advice: known.advice}
			}
		}
		return health.Problem{Words: "refused by Redis", Advice: "The log has its answer."}
	}
	if errors.Is(err, redis.ErrPoolTimeout) {
		return health.Problem{Words: "no answer in time", Advice: "See whether Redis hangs."}
	}
	problem := health.Explain(err)
	if problem.Words == "connection refused" {
		problem.Advice = "Start Redis, or check host and port in REDIS_URL."
	}
	return problem
}

// quiet takes what the client would print on the standard error: the keeper says it better.
type quiet struct{ log *slog.Logger }

// Printf notes it for those who debug.
func (q quiet) Printf(ctx context.Context, format string, values ...any) {
	q.log.DebugContext(ctx, "redis: "+fmt.Sprintf(format, values...))
}
