package config_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/app/config"
)

// table is the list of settings and defaults that the project promises.
var table = []struct{ name, standard string }{
	{"DATABASE_URL", ""},
	{"REDIS_URL", ""},
	{"ATOZBOT_DATA_DIR", "./data"},
	{"API_HOST", "127.0.0.1"},
	{"API_PORT", "8000"},
	{"LOG_LEVEL", "info"},
	{"LOG_FORMAT", "text"},
	{"DB_CONNECT_ATTEMPTS", "10"},
	{"DB_CONNECT_DELAY", "3s"},
	{"DB_MIGRATE_ATTEMPTS", "5"},
	{"DB_MIGRATE_DELAY", "2s"},
	{"REDIS_CONNECT_ATTEMPTS", "3"},
	{"REDIS_CONNECT_DELAY", "2s"},
	{"DB_FALLBACK", "none"},
	{"ATOZ_BASE_URL", "https://portal.atozinterpreting.com"},
	{"ATOZ_USERNAME", ""},
	{"ATOZ_PASSWORD", ""},
	{"ATOZ_INTERPRETER_JOBS_PATH", "/interpreter-jobs"},
	{"BOT_MODE", "watch"},
	{"BOT_AUTOSTART", "false"},
	{"REFRESH_INTERVAL_SEC", "2"},
	{"MAX_ACCEPT_PER_RUN", "5"},
	{"PORTAL_TIMEOUT", "5s"},
	{"REJECT_EXCLUDED", "false"},
	{"ATOZBOT_ADMIN_PASSWORD", ""},
	{"ATOZBOT_API_TOKEN", ""},
	{"ATOZBOT_SECRET_KEY", ""},
	{"ATOZBOT_SECRET_KEY_PREVIOUS", ""},
	{"PORTAL_PROFILE", ""},
	{"PORTAL_USER_AGENT", "atozbot/dev"},
	{"TRUSTED_PROXIES", ""},
	{"TLS_CERT_FILE", ""},
	{"TLS_KEY_FILE", ""},
	{"METRICS_ADDR", ""},
	{"ALLOW_PRIVATE_ADDRESSES", "false"},
}

func TestEverySettingHasItsNameItsFlagAndItsDefault(t *testing.T) {
	settings, err := config.Read(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	lines := settings.Lines()
	if len(lines) != len(table) {
		t.Fatalf("%d settings, want %d", len(lines), len(table))
	}
	want := map[string]string{}
	for _, row := range table {
		want[row.name] = row.standard
	}
	for _, line := range lines {
		standard, known := want[line.Name]
		if !known || line.Value != standard || line.Source != config.FromDefault {
			t.Errorf("%s = %q from %s, want %q", line.Name, line.Value, line.Source, standard)
		}
	}

	parser, err := kong.New(&struct{ config.Settings }{}, config.NewReader(nil).Options("dev")...)
	if err != nil {
		t.Fatal(err)
	}
	flags := map[string]string{}
	for _, flag := range parser.Model.Flags {
		flags[flag.Tag.Get("setting")] = flag.Name
	}
	for name := range want {
		if flag := strings.ToLower(strings.ReplaceAll(name, "_", "-")); flags[name] != flag {
			t.Errorf("the flag of %s is %q, want %q", name, flags[name], flag)
		}
	}
}

func TestAFlagWinsOverTheEnvironmentAndTheEnvironmentOverTheDefault(t *testing.T) {
	settings, err := config.Read(
		[]string{"--api-port=9001", "--bot-autostart", "--reject-excluded=false", "--redis-url="},
		[]string{"API_PORT=9002", "API_HOST=0.0.0.0", "REJECT_EXCLUDED=true", "REDIS_URL=redis://cache:6379", "LOG_LEVEL="})
	if err != nil {
		t.Fatal(err)
	}
	if settings.APIPort != 9001 || settings.SourceOf("API_PORT") != config.FromFlag {
		t.Errorf("port %d from %s", settings.APIPort, settings.SourceOf("API_PORT"))
	}
	if settings.APIHost != "0.0.0.0" || settings.SourceOf("API_HOST") != config.FromEnvironment {
		t.Errorf("host %s from %s", settings.APIHost, settings.SourceOf("API_HOST"))
	}
	if !settings.BotAutostart || settings.RejectExcluded {
		t.Errorf("autostart %v, reject %v", settings.BotAutostart, settings.RejectExcluded)
	}
	if !settings.RedisURL.InMemory() {
		t.Error("an empty flag did not undo the environment")
	}
	if settings.LogLevel != "info" || settings.SourceOf("LOG_LEVEL") != config.FromDefault {
		t.Errorf("an empty variable counted: level %q", settings.LogLevel)
	}
}

func TestWhatIsWrittenIsUnderstood(t *testing.T) {
	settings, err := config.Read(nil, []string{
		"DATABASE_URL=sqlite:/var/lib/a b.db", "REDIS_URL=memory:", "API_HOST=[::1]", "API_PORT=0", "LOG_LEVEL=WARNING", "LOG_FORMAT=JSON",
		"DB_CONNECT_DELAY=1.5", "DB_MIGRATE_DELAY=250ms", "REDIS_CONNECT_DELAY= 2s ", "BOT_MODE=Live", "BOT_AUTOSTART=yes",
		"REFRESH_INTERVAL_SEC=0.2", "MAX_ACCEPT_PER_RUN=1000000", "ATOZ_BASE_URL=http://127.0.0.1:8900/", "ATOZ_INTERPRETER_JOBS_PATH=jobs",
		"TRUSTED_PROXIES=10.0.0.7, 192.168.0.0/16,::1", "METRICS_ADDR=:9100", "ATOZ_PASSWORD= spaces stay ",
	})
	if err != nil {
		t.Fatal(err)
	}
	got := []any{
		settings.DatabaseURL.Path(), settings.DatabaseURL.IsPostgres(), settings.RedisURL.InMemory(), settings.APIHost, settings.APIPort,
		settings.Level(), settings.LogFormat, settings.DBConnectDelay, settings.DBMigrateDelay, settings.RedisConnectDelay,
		settings.BotMode, settings.BotAutostart, settings.Interval(), settings.MaxAcceptPerRun, settings.AtozBaseURL, settings.JobsPath,
		settings.TrustedProxies.String(), settings.MetricsAddr, settings.AtozPassword.Reveal(),
	}
	want := []any{
		"/var/lib/a b.db", false, true, config.Host("::1"), 0,
		slog.LevelWarn, "json", 1500 * time.Millisecond, 250 * time.Millisecond, 2 * time.Second,
		app.ModeLive, true, 200 * time.Millisecond, 1_000_000, config.WebAddress("http://127.0.0.1:8900"), config.BoardPath("/jobs"),
		"10.0.0.7/32,192.168.0.0/16,::1/128", config.Listen(":9100"), " spaces stay ",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if !settings.TrustedProxies.Trusts(netip.MustParseAddr("::ffff:10.0.0.7")) || settings.TrustedProxies.Trusts(netip.MustParseAddr("10.0.0.8")) {
		t.Error("the wrong proxies are trusted")
	}
	first := settings.FirstConfiguration()
	if first.Mode != app.ModeLive || first.CheckIntervalSeconds != 0.2 || first.MaxAcceptPerRun != 1_000_000 || first.RejectExcluded {
		t.Errorf("the first configuration is %+v", first)
	}
}

func TestAMistakeIsToldByTheNameOfTheSetting(t *testing.T) {
	folder := t.TempDir()
	for _, line := range []string{
		"DATABASE_URL=mysql://u:p@h/d", "DATABASE_URL=sqlite:", "DATABASE_URL=sqlite::memory:", "DATABASE_URL=postgres:nonsense", "DATABASE_URL=postgresql+psycopg2://u:p@h/d",
		"DATABASE_URL=postgres://u:p@h:99999/d", "DATABASE_URL=postgres://u:p@h/d?sslmode=perhaps", "DATABASE_URL=just words",
		"REDIS_URL=http://h", "REDIS_URL=redis://h:port", "REDIS_URL=memory:x", "REDIS_URL=redis://h/notanumber", "REDIS_URL=redis:h",
		"API_HOST=http://here", "API_HOST=host:80", "API_HOST=two words", "API_PORT=65536", "API_PORT=-1", "API_PORT=http", "API_PORT=80.5",
		"LOG_LEVEL=loud", "LOG_FORMAT=xml",
		"DB_CONNECT_ATTEMPTS=0", "DB_CONNECT_ATTEMPTS=many", "DB_CONNECT_DELAY=soon", "DB_CONNECT_DELAY=-1s", "DB_CONNECT_DELAY=2h", "DB_CONNECT_DELAY=1e300", "DB_CONNECT_DELAY=NaN",
		"DB_MIGRATE_ATTEMPTS=1.5", "DB_MIGRATE_DELAY=3 parsecs", "REDIS_CONNECT_ATTEMPTS=-3", "REDIS_CONNECT_DELAY=x", "DB_FALLBACK=mysql",
		"ATOZ_BASE_URL=portal.example", "ATOZ_BASE_URL=ftp://portal", "ATOZ_BASE_URL=https://u:p@portal", "ATOZ_BASE_URL=https://", "ATOZ_BASE_URL=https://portal/?a=b",
		"ATOZ_INTERPRETER_JOBS_PATH=https://portal/jobs", "ATOZ_INTERPRETER_JOBS_PATH=//portal/jobs",
		"BOT_MODE=auto", "BOT_AUTOSTART=perhaps", "REFRESH_INTERVAL_SEC=0.19", "REFRESH_INTERVAL_SEC=NaN", "REFRESH_INTERVAL_SEC=Inf", "REFRESH_INTERVAL_SEC=3601", "REFRESH_INTERVAL_SEC=2s",
		"MAX_ACCEPT_PER_RUN=0", "MAX_ACCEPT_PER_RUN=1000001", "PORTAL_TIMEOUT=0", "PORTAL_TIMEOUT=1h", "REJECT_EXCLUDED=2",
		"ATOZBOT_API_TOKEN=two words", "PORTAL_PROFILE=" + filepath.Join(folder, "missing"), "PORTAL_PROFILE=" + folder,
		"PORTAL_USER_AGENT=line\nbreak", "TRUSTED_PROXIES=everyone", "TRUSTED_PROXIES=10.0.0.0/33", "METRICS_ADDR=9100", "METRICS_ADDR=:99999",
		"ALLOW_PRIVATE_ADDRESSES=maybe", "ATOZ_PASSWORD_FILE=" + filepath.Join(folder, "missing"),
	} {
		name, _, _ := strings.Cut(line, "=")
		_, err := config.Read(nil, []string{line})
		mistakes, ok := errors.AsType[config.Mistakes](err)
		if !ok || len(mistakes) != 1 || mistakes[0].Name != name {
			t.Errorf("%q: %v, want one mistake named %s", line, err, name)
			continue
		}
		if strings.HasSuffix(name, "_FILE") {
			continue
		}
		flag := "--" + strings.ToLower(strings.ReplaceAll(line, "_", "-"))
		flag = flag[:len(name)+2] + line[len(name):]
		if _, err := config.Read([]string{flag}, nil); err == nil || !strings.Contains(err.Error(), name+": ") {
			t.Errorf("%q: %v", flag, err)
		}
	}
}

func TestAllMistakesAreToldAtOnceInTheTablesOrder(t *testing.T) {
	_, err := config.Read([]string{"--log-level=loud"}, []string{"API_PORT=x", "BOT_MODE=auto", "DATABASE_URL=x", "TLS_CERT_FILE=/nowhere", "BOT_AUTOSTART=perhaps"})
	mistakes, _ := errors.AsType[config.Mistakes](err)
	var names []string
	for _, m := range mistakes {
		names = append(names, m.Name)
	}
	want := []string{"DATABASE_URL", "API_PORT", "LOG_LEVEL", "BOT_MODE", "BOT_AUTOSTART", "TLS_KEY_FILE"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Error(diff)
	}
	if left := mistakes.Without(config.IgnoredByDemo()...); len(left) != 3 {
		t.Errorf("what the demo does not ignore: %v", left)
	}
}

func TestASecretComesFromAFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte("from the file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	settings, err := config.Read(nil, []string{"ATOZ_PASSWORD_FILE=" + file})
	if err != nil {
		t.Fatal(err)
	}
	if settings.AtozPassword.Reveal() != "from the file" || settings.SourceOf("ATOZ_PASSWORD") != config.FromFile {
		t.Errorf("%q from %s", settings.AtozPassword.Reveal(), settings.SourceOf("ATOZ_PASSWORD"))
	}
	if _, err := config.Read(nil, []string{"ATOZ_PASSWORD_FILE=" + file, "ATOZ_PASSWORD=x"}); err == nil || !strings.HasPrefix(err.Error(), "ATOZ_PASSWORD_FILE: ") {
		t.Errorf("both set: %v", err)
	}
	if settings, err := config.Read([]string{"--atoz-password=flag"}, []string{"ATOZ_PASSWORD_FILE=/nowhere"}); err != nil || settings.AtozPassword.Reveal() != "flag" {
		t.Errorf("a flag wins over the file: %v", err)
	}
}

func TestNoOutputShowsASecret(t *testing.T) {
	const secret = "hunter2hunter2"
	settings, err := config.Read(nil, []string{
		"ATOZ_PASSWORD=" + secret, "ATOZBOT_ADMIN_PASSWORD=" + secret, "ATOZBOT_API_TOKEN=" + secret, "ATOZBOT_SECRET_KEY=" + secret, "ATOZBOT_SECRET_KEY_PREVIOUS=" + secret,
		"DATABASE_URL=postgres://atoz:" + secret + "@db.example:5433/jobs?sslmode=disable", "REDIS_URL=redis://:" + secret + "@cache.example:6380/2",
	})
	if err != nil {
		t.Fatal(err)
	}
	nested := struct{ private config.Settings }{settings}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t"} {
		fmt.Fprintf(&out, verb+verb+verb, settings, nested, settings.AtozPassword)
		fmt.Fprintf(&out, verb+verb, settings.DatabaseURL, &settings)
	}
	if err := json.NewEncoder(&out).Encode(settings); err != nil {
		t.Fatal(err)
	}
	for _, handler := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
		slog.New(handler).Info("start", "settings", settings, "password", settings.AtozPassword, "database", settings.DatabaseURL)
	}
	for _, line := range settings.Lines() {
		fmt.Fprintln(&out, line.Name, line.Value)
	}
	if strings.Contains(out.String(), secret) || strings.Contains(out.String(), fmt.Sprintf("%x", secret)) {
		t.Error("a secret was printed")
	}
	for _, want := range []string{"postgres://atoz@db.example:5433/jobs", "redis://cache.example:6380/2", "ATOZ_PASSWORD [hidden]"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not shown", want)
		}
	}
	if got := len(settings.SecretValues()); got != 9 {
		t.Errorf("%d secret values, want 9", got)
	}
}

func TestAMistakeRepeatsNoPieceOfAPassword(t *testing.T) {
	for _, text := range []string{
		"DATABASE_URL=postgres://u:se/cr@et#word@host/db", "DATABASE_URL=postgres://u:secret@host:secret/db", "DATABASE_URL=mysql://u:secret@h/d",
		"DATABASE_URL=secret", "DATABASE_URL=postgres://u:sec%zzret@h/d", "REDIS_URL=redis://:se/cr@et@host", "REDIS_URL=secret", "REDIS_URL=redis://h:secret",
		"DATABASE_URL=postgres://u:p@h/d?connect_timeout=secret", "ATOZBOT_API_TOKEN=secret word", "ATOZ_BASE_URL=https://u:secret@portal",
	} {
		_, err := config.Read(nil, []string{text})
		if err == nil {
			continue
		}
		for _, piece := range []string{"secret", "se/cr", "cr@et", "sec%"} {
			if strings.Contains(err.Error(), piece) {
				t.Errorf("%q: %v", text, err)
			}
		}
	}
	_, err := config.Read([]string{"--atoz-password", "-secret"}, nil)
	if err == nil || strings.Contains(err.Error(), "-secret") || !strings.Contains(err.Error(), "--atoz-password=VALUE") {
		t.Errorf("a password that begins with a dash: %v", err)
	}
}

func TestWarnings(t *testing.T) {
	var grammar struct {
		config.Settings `embed:""`
	}
	reader := config.NewReader([]string{"DB_CONECT_DELAY=3s", "ATOZBOT_COLOUR=red", "HOME=/root", "ATOZ_USERNAME=a", "ATOZBOT_SECRET_KEY=short"})
	parser, err := kong.New(&grammar, reader.Options("dev")...)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := parser.Parse([]string{"--atoz-password=x", "--database-url=postgres://u@h/d", "--redis-url=redis://:p@h"})
	if err != nil {
		t.Fatal(err)
	}
	if err := reader.Finish(&grammar.Settings, parsed); err != nil {
		t.Fatal(err)
	}
	got := strings.Join(reader.Warnings(), "\n")
	for _, want := range []string{"DB_CONECT_DELAY in the environment is no setting; did you mean DB_CONNECT_DELAY?", "ATOZBOT_COLOUR in the", "ATOZ_PASSWORD was given as a flag", "REDIS_URL was given as a flag", "ATOZBOT_SECRET_KEY is shorter"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if len(reader.Warnings()) != 5 {
		t.Errorf("warnings:\n%s", got)
	}
}

func TestTheDemoTouchesNothingReal(t *testing.T) {
	settings, err := config.Read(nil, []string{
		"DATABASE_URL=postgres://u:p@real/d", "REDIS_URL=redis://real", "ATOZ_BASE_URL=https://real", "ATOZ_USERNAME=me", "ATOZ_PASSWORD=p",
		"ATOZ_INTERPRETER_JOBS_PATH=/real", "DB_FALLBACK=sqlite", "BOT_MODE=watch", "API_PORT=9000",
	})
	if err != nil {
		t.Fatal(err)
	}
	demo := settings.ForDemo("/tmp/demo", "http://127.0.0.1:1", "practice", "practice")
	for _, line := range demo.Lines() {
		if strings.Contains(line.Value, "real") {
			t.Errorf("%s is %s", line.Name, line.Value)
		}
	}
	if demo.BotMode != app.ModeLive || !demo.BotAutostart || demo.APIPort != 9000 || demo.RefreshIntervalSec != 1 {
		t.Errorf("the demo's settings: %+v", demo)
	}
	if reflect.DeepEqual(settings, demo) {
		t.Error("nothing changed")
	}
}
