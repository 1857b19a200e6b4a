package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// output is a buffer that a running program and a test may use at once.
type output struct {
	mu     sync.Mutex
	buffer bytes.Buffer
	lines  chan struct{}
}

func newOutput() *output { return &output{lines: make(chan struct{}, 1)} }

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	select {
	case o.lines <- struct{}{}:
	default:
	}
	return o.buffer.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buffer.String()
}

// await waits until what was written matches, and gives the match.
func (o *output) await(t *testing.T, pattern string) []string {
	t.Helper()
	wanted := regexp.MustCompile(pattern)
	deadline := time.After(20 * time.Second)
	for {
		if found := wanted.FindStringSubmatch(o.String()); found != nil {
			return found
		}
		select {
		case <-o.lines:
		case <-deadline:
			t.Fatalf("no %q in\n%s", pattern, o.String())
		}
	}
}

func TestWhatIsWrittenOnTheCommandLine(t *testing.T) {
	folder := t.TempDir()
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	taken := fmt.Sprint(busy.Addr().(*net.TCPAddr).Port)
	notAFolder := filepath.Join(folder, "file")
	if err := os.WriteFile(notAFolder, nil, 0o600); err != nil {
		t.Fatal(err)
	}

	for _, c := range []struct {
		name        string
		args        string
		environment string
		code        int
		stdout      string // A pattern; "" for nothing at all.
		stderr      string
	}{
		{"nothing", "", "", 0, `(?s)Usage: atozbot.*serve.*DATABASE_URL.*API_PORT \(default 8000\)`, ""},
		{"help", "help", "", 0, `Usage: atozbot`, ""},
		{"--help", "--help", "", 0, `(?s)Commands:.*migrate.*METRICS_ADDR`, ""},
		{"help of a command", "migrate --help", "", 0, `(?s)Usage: atozbot migrate.*--to`, ""},
		{"help of a command, the other way", "help serve", "", 0, `--demo`, ""},
		{"version", "version", "", 0, `^atozbot \S+\ncommit \S+\ngo1\S+ \S+/\S+\n$`, ""},
		{"version as a flag", "--version", "", 0, `^atozbot`, ""},
		{"version in spite of wrong settings", "version", "API_PORT=x", 0, `^atozbot`, ""},

		{"an unknown command", "swerve", "", 2, "", `did you mean "serve"`},
		{"an unknown flag", "serve --api-prt=1", "", 2, "", `did you mean "--api-port"`},
		{"an unknown flag of one command", "serve --json", "", 2, "", `atozbot serve --help`},
		{"a flag without its value", "serve --api-port", "", 2, "", `--api-port`},
		{"an unknown migration", "migrate sideways", "", 2, "", `sideways`},
		{"--to that is no number", "migrate --to=x", "", 2, "", `--to`},
		{"--to where there is nothing to go to", "migrate status --to=1", "", 2, "", `--to`},
		{"a version that is not there", "migrate --to=99999", "", 2, "", `no migration 99999`},
		{"backup without a file", "backup", "", 2, "", `file`},
		{"import without a source", "import", "", 2, "", `--from`},
		{"too many arguments", "backup a b", "", 2, "", `unexpected argument`},

		{"wrong settings, all at once", "serve", "API_PORT=x BOT_MODE=auto", 2, "", `(?s)2 settings are wrong.*API_PORT: .*BOT_MODE: `},
		{"a wrong flag by the setting's name", "serve --refresh-interval-sec=0.1", "", 2, "", `REFRESH_INTERVAL_SEC: "0.1"`},
		{"a profile that is not there", "serve", "PORTAL_PROFILE=" + folder + "/none", 2, "", `PORTAL_PROFILE: `},
		{"a profile that is none", "serve", "PORTAL_PROFILE=" + notAFolder, 2, "", `PORTAL_PROFILE: `},
		{"a data folder that cannot be", "serve", "ATOZBOT_DATA_DIR=" + notAFolder + "/data", 2, "", `ATOZBOT_DATA_DIR: `},
		{"a port that is taken", "serve", "API_PORT=" + taken, 1, "", `another program has this port`},
		{"wrong settings for migrate", "migrate", "DATABASE_URL=mysql://x", 2, "", `DATABASE_URL: `},
		{"an impossible path", "migrate", "DATABASE_URL=sqlite:" + notAFolder + "/x.db", 1, "", `file cannot be opened`},
		{"a database that is away", "migrate", "DATABASE_URL=postgres://u@127.0.0.1:1/d DB_CONNECT_ATTEMPTS=2 DB_CONNECT_DELAY=10ms", 1, "", `(?s)attempt 1 of 2.*the 2 attempts are used up`},

		{"migrate", "migrate", "", 0, `(?m)^up 00001_core in `, `.*`},
		{"migrate again", "migrate up", "", 0, `nothing to do`, ""},
		{"migration status", "migrate status", "", 0, `(?m)^00001_core\s+applied 20`, ""},
		{"migration version", "migrate version", "", 0, `^\d+\n$`, ""},
		{"one step down", "migrate down", "", 0, `^down `, `.*`},
		{"status with one pending", "migrate status", "", 0, `pending`, ""},
		{"all the way down", "migrate down --to=0", "", 0, `down 00001_core`, `.*`},
		{"version of an empty database", "migrate version", "", 0, `^0\n$`, ""},
		{"up to one", "migrate up --to=1", "", 0, `up 00001_core`, ""},

		{"healthcheck where nothing runs", "healthcheck", "API_PORT=1", 1, "", `does not answer`},
		{"healthcheck with a wrong setting", "healthcheck", "API_PORT=x", 1, "", `API_PORT`},
		{"healthcheck with a wrong flag", "healthcheck --x", "", 1, "", `unknown flag`},
		{"healthcheck in spite of another wrong setting", "healthcheck", "API_PORT=1 BOT_MODE=x", 1, "", `does not answer`},
		{"doctor without log-in data", "doctor", "", 1, `ATOZ_USERNAME`, ""},
		{"doctor on wrong settings", "doctor", "DATABASE_URL=mysql://x", 1, `DATABASE_URL: `, ""},
		{"doctor for machines", "doctor --json", "", 1, `^\{\s+"checks"`, ""},
		{"practice portal at no address", "practice-portal --addr=nowhere", "", 2, "", `--addr`},
		{"practice portal where the port is taken", "practice-portal --addr=127.0.0.1:" + taken, "", 1, "", `in use`},
		{"a backup of a database that is behind", "backup " + folder + "/behind", "", 1, "", `atozbot migrate`},
		{"all the way up again", "migrate", "", 0, `up 0`, `.*`},
		{"a backup", "backup " + folder + "/saved", "", 0, `rows written to`, ""},
		{"a backup where nothing can be written", "backup " + notAFolder + "/saved", "", 1, "", `backup`},
		{"a restore", "restore " + folder + "/saved", "", 0, `rows read from`, `.*`},
		{"a restore of what is no backup", "restore " + notAFolder, "", 1, "", `backup`},
		{"a restore of nothing", "restore " + folder + "/none", "", 2, "", `no such file`},
		{"an import from nowhere", "import --from=mysql://x", "", 2, "", `--from`},
		{"an import of what is away", "import --from=postgres://u@127.0.0.1:1/d", "", 1, "", `connection refused`},
		{"backtest with no rules", "backtest --rules=" + folder + "/none", "", 2, "", `--rules`},
		{"backtest since never", "backtest --since=ever", "", 2, "", `--since`},
	} {
		t.Run(c.name, func(t *testing.T) {
			stdout, stderr := newOutput(), newOutput()
			environment := append([]string{"ATOZBOT_DATA_DIR=" + folder}, strings.Fields(c.environment)...)
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			if code := run(ctx, strings.Fields(c.args), environment, stdout, stderr); code != c.code {
				t.Errorf("exit status %d, want %d", code, c.code)
			}
			for text, pattern := range map[string]string{stdout.String(): c.stdout, stderr.String(): c.stderr} {
				if pattern == "" && text != "" || !regexp.MustCompile(pattern).MatchString(text) {
					t.Errorf("no %q in\n%s", pattern, text)
				}
			}
		})
	}
}

// start runs the program until the test ends it, and gives its log and its end.
func start(t *testing.T, args string, environment ...string) (log *output, stop func() int) {
	t.Helper()
	log = newOutput()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan int, 1)
	go func() { ended <- run(ctx, strings.Fields(args), environment, io.Discard, log) }()
	var code int
	var once sync.Once
	stop = func() int {
		once.Do(func() {
			cancel()
			select {
			case code = <-ended:
			case <-time.After(15 * time.Second):
				code = -1
			}
		})
		return code
	}
	t.Cleanup(func() { stop() })
	return log, stop
}

func TestTheFirstLineNamesTheAddressAndAnOrderlyEndIsZero(t *testing.T) {
	log, stop := start(t, "serve", "ATOZBOT_DATA_DIR="+t.TempDir(), "API_PORT=0", "ATOZ_PASSWORD=not-to-be-seen", "LOG_FORMAT=json", "LOG_LEVEL=debug")
	address := log.await(t, `^\{[^\n]*"msg":"listening on (http://127\.0\.0\.1:\d+)"`)[1]
	log.await(t, `ready: open `)
	response, err := http.Get(address + "/health")
	if err != nil {
		t.Fatal(err)
	}
	var health struct{ Status, Service, Version string }
	if err := json.NewDecoder(response.Body).Decode(&health); err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != 200 || health.Status != "healthy" || health.Service != "AtoZ Bot Dashboard API" {
		t.Errorf("%d %+v", response.StatusCode, health)
	}
	port := address[strings.LastIndex(address, ":")+1:]
	for _, args := range []string{"healthcheck", "healthcheck --ready"} {
		var said bytes.Buffer
		if code := run(t.Context(), strings.Fields(args), []string{"API_PORT=" + port}, &said, &said); code != 0 {
			t.Errorf("%s: %d %s", args, code, said.String())
		}
	}
	if code := stop(); code != 0 {
		t.Errorf("exit status %d", code)
	}
	if text := log.String(); strings.Contains(text, "not-to-be-seen") || !strings.Contains(text, "stopped in order") {
		t.Errorf("the log:\n%s", text)
	}
}

// certificate writes a certificate for this machine and its key.
func certificate(t *testing.T) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	certFile, keyFile = filepath.Join(folder, "cert.pem"), filepath.Join(folder, "key.pem")
	for path, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: der}, keyFile: {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certFile, keyFile
}

func TestTLSAndMetricsOnAnAddressOfTheirOwn(t *testing.T) {
	certFile, keyFile := certificate(t)
	log, stop := start(t, "serve", "ATOZBOT_DATA_DIR="+t.TempDir(), "API_PORT=0", "METRICS_ADDR=127.0.0.1:0", "TLS_CERT_FILE="+certFile, "TLS_KEY_FILE="+keyFile)
	address := log.await(t, `listening on (https://127\.0\.0\.1:\d+)`)[1]
	metrics := log.await(t, `metrics at (http://127\.0\.0\.1:\d+/metrics)`)[1]
	log.await(t, `ready: open `)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	defer client.CloseIdleConnections()
	for path, want := range map[string]int{address + "/health": 200, address + "/": 200, address + "/metrics": 401, metrics: 200} {
		response, err := client.Get(path)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if response.StatusCode != want {
			// Where metrics have an address of their own, they may be unknown at the other.
			if path != address+"/metrics" || response.StatusCode != 404 {
				t.Errorf("%s: %s", path, response.Status)
			}
		}
		if path == metrics && !bytes.Contains(body, []byte(`atozbot_dependency_up{dependency="database"} 1`)) {
			t.Error("the metrics know nothing of the database")
		}
	}
	var said bytes.Buffer
	port := address[strings.LastIndex(address, ":")+1:]
	if code := run(t.Context(), []string{"healthcheck"}, []string{"API_PORT=" + port, "TLS_CERT_FILE=" + certFile, "TLS_KEY_FILE=" + keyFile}, &said, &said); code != 0 {
		t.Errorf("healthcheck: %d %s", code, said.String())
	}
	if code := stop(); code != 0 {
		t.Errorf("exit status %d", code)
	}
}

func TestTheDemoNeedsNothingAndTouchesNothingReal(t *testing.T) {
	folder := t.TempDir()
	log, stop := start(t, "serve --demo", "ATOZBOT_DATA_DIR="+folder, "API_PORT=0", "ATOZBOT_API_TOKEN=token-of-the-demo", "REFRESH_INTERVAL_SEC=0.2",
		"DATABASE_URL=mysql://nonsense", "REDIS_URL=nonsense", "ATOZ_BASE_URL=nonsense", "BOT_MODE=nonsense")
	address := log.await(t, `listening on (http://127\.0\.0\.1:\d+)`)[1]
	log.await(t, `outcome=accepted`)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address+"/api/bot/status", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer token-of-the-demo")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var status struct {
		IsRunning bool `json:"is_running"`
		Mode      string
	}
	if err := json.NewDecoder(response.Body).Decode(&status); err != nil || !status.IsRunning || status.Mode != "live" {
		t.Errorf("%+v %v", status, err)
	}
	if code := stop(); code != 0 {
		t.Errorf("exit status %d", code)
	}
	entries, err := os.ReadDir(folder)
	if err != nil || len(entries) != 1 || entries[0].Name() != "demo" {
		t.Errorf("the data folder holds %v (%v)", entries, err)
	}
}
