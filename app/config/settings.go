// Package config reads the settings: from flags, from the environment and from their
// defaults, in this order. It stands before everything else on the way through the
// house: nothing is opened or asked before every setting is known to be right, and all
// mistakes are told at once, each by the setting's name.
package config

import (
	"log/slog"
	"net/netip"
	"strings"
	"time"

	"github.com/atozbot/atozbot/app"
)

// Settings is everything that can be set from outside, a line a setting. The tag
// `setting` is the name in the environment; the flag is the same in lower case with
// dashes. `secret` keeps the value out of every output and lets it be read from the
// file named by NAME_FILE.
type Settings struct {
	DatabaseURL DatabaseURL `setting:"DATABASE_URL" secret:"" placeholder:"URL" help:"postgres://…, postgresql://… or sqlite:PATH. Empty: SQLite in the data folder."`
	RedisURL    RedisURL    `setting:"REDIS_URL" secret:"" placeholder:"URL" help:"redis://…, rediss://… or memory:. Empty: an in-memory Redis inside the process."`
	DataDir     string      `name:"atozbot-data-dir" setting:"ATOZBOT_DATA_DIR" default:"./data" placeholder:"DIR" help:"Folder of the SQLite file, the journal and generated secrets."`

	APIHost   Host   `setting:"API_HOST" default:"127.0.0.1" placeholder:"HOST" help:"Where to listen."`
	APIPort   int    `setting:"API_PORT" default:"8000" min:"0" max:"65535" placeholder:"PORT" help:"Where to listen. 0 picks a free port; the first line of the log says which."`
	LogLevel  string `setting:"LOG_LEVEL" default:"info" words:"debug,info,warn,error" placeholder:"LEVEL" help:"debug, info, warn or error."`
	LogFormat string `setting:"LOG_FORMAT" default:"text" words:"text,json" placeholder:"FORMAT" help:"text or json."`

	DBConnectAttempts    int           `setting:"DB_CONNECT_ATTEMPTS" default:"10" min:"1" max:"1000000" placeholder:"N" help:"Tries to reach the database at the start, before it is called unhealthy. Trying goes on after that, at least every 5 s."`
	DBConnectDelay       time.Duration `setting:"DB_CONNECT_DELAY" default:"3s" min:"0s" max:"1h" placeholder:"TIME" help:"From one such try to the next, kept within ±10 %."`
	DBMigrateAttempts    int           `setting:"DB_MIGRATE_ATTEMPTS" default:"5" min:"1" max:"1000000" placeholder:"N" help:"Tries to create or change the tables at the start."`
	DBMigrateDelay       time.Duration `setting:"DB_MIGRATE_DELAY" default:"2s" min:"0s" max:"1h" placeholder:"TIME" help:"From one such try to the next."`
	RedisConnectAttempts int           `setting:"REDIS_CONNECT_ATTEMPTS" default:"3" min:"1" max:"1000000" placeholder:"N" help:"Tries to reach Redis at the start."`
	RedisConnectDelay    time.Duration `setting:"REDIS_CONNECT_DELAY" default:"2s" min:"0s" max:"1h" placeholder:"TIME" help:"From one such try to the next."`
	DBFallback           string        `setting:"DB_FALLBACK" default:"none" words:"none,sqlite" placeholder:"none|sqlite" help:"sqlite: where the tries are used up at the start, run on SQLite in the data folder until the next start."`

	AtozBaseURL  WebAddress `setting:"ATOZ_BASE_URL" default:"https://portal.atozinterpreting.com" placeholder:"URL" help:"The portal."`
	AtozUsername string     `setting:"ATOZ_USERNAME" placeholder:"NAME" help:"Log-in name at the portal, of the account default."`
	AtozPassword Secret     `setting:"ATOZ_PASSWORD" secret:"" placeholder:"PASSWORD" help:"Password at the portal."`
	JobsPath     BoardPath  `name:"atoz-interpreter-jobs-path" setting:"ATOZ_INTERPRETER_JOBS_PATH" default:"/interpreter-jobs" placeholder:"PATH" help:"The path of the portal's job board."`

	BotMode            app.Mode      `setting:"BOT_MODE" default:"watch" words:"watch,live" placeholder:"watch|live" help:"live acts on the portal; watch decides and records, and posts nothing."`
	BotAutostart       bool          `setting:"BOT_AUTOSTART" default:"false" help:"Start the bot with the server, and resume a session that a crash interrupted."`
	RefreshIntervalSec float64       `setting:"REFRESH_INTERVAL_SEC" default:"2" min:"0.2" max:"3600" placeholder:"SECONDS" help:"From the start of one look at the board to the next, ±10 %; 0.2 at least."`
	MaxAcceptPerRun    int           `setting:"MAX_ACCEPT_PER_RUN" default:"5" min:"1" max:"1000000" placeholder:"N" help:"Acceptances in one bot session, kept across restarts of the process."`
	PortalTimeout      time.Duration `setting:"PORTAL_TIMEOUT" default:"5s" min:"10ms" max:"10m" placeholder:"TIME" help:"The longest that one request to the portal may take."`
	RejectExcluded     bool          `setting:"REJECT_EXCLUDED" default:"false" help:"Reject excluded job types on the portal; otherwise they are left alone."`

	AdminPassword Secret `name:"atozbot-admin-password" setting:"ATOZBOT_ADMIN_PASSWORD" secret:"" placeholder:"PASSWORD" help:"The dashboard's first password. Empty: the first start prints a one-time set-up link."`
	APIToken      Secret `name:"atozbot-api-token" setting:"ATOZBOT_API_TOKEN" secret:"" placeholder:"TOKEN" help:"A bearer token with every right, for scripts."`
	SecretKey     Secret `name:"atozbot-secret-key" setting:"ATOZBOT_SECRET_KEY" secret:"" placeholder:"KEY" help:"The key of secrets at rest. Empty: made at the first start in the data folder; with PostgreSQL, secrets can be stored only where it is set."`

	SecretKeyPrevious Secret `name:"atozbot-secret-key-previous" setting:"ATOZBOT_SECRET_KEY_PREVIOUS" secret:"" placeholder:"KEY" help:"While the key is changed: the one before, which opens what it sealed. At the start, and once an hour, that is sealed anew with the key in force. With several replicas, set the new key here first, everywhere; then swap the two; then leave the old one out."`

	PortalProfile         string    `setting:"PORTAL_PROFILE" placeholder:"FILE" help:"A file with the portal's paths, selectors and words. Empty: the built-in profile."`
	PortalUserAgent       UserAgent `setting:"PORTAL_USER_AGENT" default:"atozbot/${version}" placeholder:"NAME" help:"What the program calls itself to the portal."`
	TrustedProxies        Proxies   `setting:"TRUSTED_PROXIES" placeholder:"ADDRESSES" help:"Addresses or networks, with commas between, whose X-Forwarded-* is believed."`
	TLSCertFile           string    `setting:"TLS_CERT_FILE" placeholder:"FILE" help:"TLS of its own: the certificate chain. Together with TLS_KEY_FILE."`
	TLSKeyFile            string    `setting:"TLS_KEY_FILE" placeholder:"FILE" help:"TLS of its own: the private key."`
	MetricsAddr           Listen    `setting:"METRICS_ADDR" placeholder:"HOST:PORT" help:"Serve /metrics on an address of its own."`
	AllowPrivateAddresses bool      `setting:"ALLOW_PRIVATE_ADDRESSES" default:"false" help:"Whether addresses set in the dashboard may be private or loopback."`

	// given names the settings that were set and do not stand at their default.
	given map[string]Source
}

// Source says where a setting's value comes from.
type Source string

// The sources.
const (
	FromDefault     Source = "default"
	FromEnvironment Source = "environment"
	FromFile        Source = "file"
	FromFlag        Source = "flag"
)

// SourceOf tells where the value of the setting of this name comes from.
func (s Settings) SourceOf(name string) Source {
	if source, ok := s.given[name]; ok {
		return source
	}
	return FromDefault
}

// Level is the log level as slog has it.
func (s Settings) Level() slog.Level {
	switch s.LogLevel {
	case "debug":
		return slog.LevelDebug
	case "warn":
		return slog.LevelWarn
	case "error":
		return slog.LevelError
	default:
		return slog.LevelInfo
	}
}

// Interval is the wanted time from one look at the board to the next.
func (s Settings) Interval() time.Duration {
	return time.Duration(s.RefreshIntervalSec * float64(time.Second))
}

// FirstConfiguration is what a new database starts with: the defaults, and those
// settings that are also fields of the configuration.
func (s Settings) FirstConfiguration() app.Configuration {
	c := app.DefaultConfiguration()
	c.CheckIntervalSeconds = s.RefreshIntervalSec
	c.MaxAcceptPerRun = s.MaxAcceptPerRun
	c.Mode = s.BotMode
	c.RejectExcluded = s.RejectExcluded
	return c
}

// SecretValues are the texts that must stand in no output.
func (s Settings) SecretValues() []string {
	secrets := []Secret{s.AtozPassword, s.AdminPassword, s.APIToken, s.SecretKey, s.SecretKeyPrevious}
	// An address without a password is none.
	if s.DatabaseURL.password.IsSet() {
		secrets = append(secrets, s.DatabaseURL.Secret, s.DatabaseURL.password)
	}
	if s.RedisURL.password.IsSet() {
		secrets = append(secrets, s.RedisURL.Secret, s.RedisURL.password)
	}
	var values []string
	for _, secret := range secrets {
		if secret.IsSet() {
			values = append(values, secret.Reveal())
		}
	}
	return values
}

// Host is a name or an address to listen on.
type Host string

// Listen is an address with a port to listen on, "host:port"; the host may be empty.
type Listen string

// WebAddress is an http or https address without a slash at its end.
type WebAddress string

// BoardPath is an absolute path on the portal.
type BoardPath string

// UserAgent is what stands in the header of that name.
type UserAgent string

// Proxies are the networks whose forwarding headers are believed.
type Proxies []netip.Prefix

// String lists the networks as they can be set.
func (p Proxies) String() string {
	words := make([]string, len(p))
	for i, prefix := range p {
		words[i] = prefix.String()
	}
	return strings.Join(words, ",")
}

// Trusts tells whether a request from this address may say on whose behalf it comes.
func (p Proxies) Trusts(address netip.Addr) bool {
	address = address.Unmap()
	for _, prefix := range p {
		if prefix.Contains(address) {
			return true
		}
	}
	return false
}
