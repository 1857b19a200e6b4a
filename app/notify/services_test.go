package notify_test

import (
	"bufio"
	"context"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/mail"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nicholas-fedor/shoutrrr/pkg/router"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/app/notify"
)

// notifier sends over connections made by dial; nil for the ordinary way.
func notifier(dial func(context.Context, string, string) (net.Conn, error)) *notify.Notifier {
	return notify.New(notify.Options{Channels: &book{}, Log: slog.New(slog.DiscardHandler), Dial: dial})
}

func TestEveryServiceIsOfferedUnderThePolicyOrNotAtAll(t *testing.T) {
	known, err := router.New(log.New(io.Discard, "", 0))
	if err != nil {
		t.Fatal(err)
	}
	// The first two have users' own servers and connect past every policy, zulip panics
	// without a network, and logger sends nothing.
	refused := []string{"matrix", "signal", "zulip", "logger"}
	for _, scheme := range known.ListServices() {
		if slices.Contains(notify.Services(), scheme) == slices.Contains(refused, scheme) {
			t.Errorf("%s: is it offered or not?", scheme)
		}
	}
	for _, scheme := range notify.Services() {
		if !slices.Contains(known.ListServices(), scheme) {
			t.Errorf("%s is offered and not known", scheme)
		}
	}
}

func TestEveryConnectionToAMachineThatUsersNameIsMadeUnderThePolicy(t *testing.T) {
	forbidden := app.Errorf(app.CodeInvalid, "This address leads to this computer, which is not allowed here.")
	for address, place := range map[string]string{
		"generic+http://rebind.example:81/hook":                                     "rebind.example:81",
		"generic://rebind.example/hook?template=json":                               "rebind.example:443",
		"gotify://rebind.example:82/Aaaaaaaaaaaaaaa?disabletls=yes":                 "rebind.example:82",
		"mattermost://rebind.example:83/token?disabletls=yes":                       "rebind.example:83",
		"ntfy://rebind.example:84/topic?scheme=http":                                "rebind.example:84",
		"ntfy://rebind.example/topic?disabletlsverification=yes":                    "rebind.example:443",
		"pagerduty://rebind.example:85/0123456789abcdef0123456789abcdef":            "rebind.example:85",
		"rocketchat://rebind.example:86/tokenA/tokenB":                              "rebind.example:86",
		"smtp://u:p@rebind.example:587/?from=a@example.com&to=b@example.com":        "rebind.example:587",
		"smtp://u:p@rebind.example:465/?from=a@example.com&to=b@example.com":        "rebind.example:465",
		"discord://token@1234567890":                                                "discord.com:443",
		"pushover://shoutrrr:token@user":                                            "api.pushover.net:443",
		"generic+http://2130706433:87/decimal":                                      "2130706433:87",
		"smtp://[::ffff:169.254.169.254]:25/?from=a@example.com&to=b@example.com":   "[::ffff:169.254.169.254]:25",
		"generic+http://rebind.example./a-dot-at-the-end?method=GET&@X=1&template=": "rebind.example.:80",
	} {
		t.Run(address, func(t *testing.T) {
			asked := make(chan string, 8)
			n := notifier(func(_ context.Context, _, at string) (net.Conn, error) {
				asked <- at
				return nil, &net.OpError{Op: "dial", Err: forbidden}
			})
			err := n.Test(t.Context(), notify.Channel{Address: address})
			if err == nil || !strings.Contains(err.Error(), "this computer") {
				t.Errorf("%v", err)
			}
			select {
			case got := <-asked:
				if got != place {
					t.Errorf("it connects to %s, want %s", got, place)
				}
			default:
				t.Error("it connects past the policy, or not at all")
			}
		})
	}
}

func TestAVendorsServiceSpeaksWithItsVendorAlone(t *testing.T) {
	for address, good := range map[string]bool{
		"googlechat://chat.googleapis.com/v1/spaces/x/messages?key=k&token=t": true, "googlechat://127.0.0.1/v1/spaces/x/messages?key=k&token=t": false,
		"opsgenie://api.eu.opsgenie.com/key": true, "opsgenie://metadata.example/key": false, "opsgenie://api.opsgenie.com.evil.example/key": false, "opsgenie://evilopsgenie.com/key": false,
		"bark://:key@api.day.app": true, "bark://:key@api.day.app?scheme=http": false, "bark://:key@api.day.app?Scheme=HTTP": false, "bark://:key@10.0.0.8": false,
		"googlechat+https://10.0.0.8/v1/spaces/x/messages?key=k&token=t": false, "GOOGLECHAT://10.0.0.8/v1?key=k&token=t": false,
	} {
		if _, err := notify.Check(address); (err == nil) != good || !good && !strings.Contains(err.Error(), " It must ") {
			t.Errorf("%s: %v", address, err)
		}
	}
}

func TestEnteringAnAddressConnectsToNothing(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var came atomic.Int64
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			came.Add(1)
			conn.Close()
		}
	}()
	defer listener.Close()
	at := listener.Addr().String()
	for _, address := range []string{
		"matrix://user:password@" + at + "/?disabletls=yes", "signal://" + at + "/+441632960001/+441632960002", "generic+http://" + at + "/x",
		"gotify://" + at + "/Aaaaaaaaaaaaaaa?disabletls=yes", "smtp://" + at + "/?from=a@example.com&to=b@example.com", "ntfy://" + at + "/x?scheme=http",
		"mattermost://" + at + "/x?disabletls=yes", "rocketchat://" + at + "/a/b",
	} {
		_, _ = notify.Check(address)
	}
	conn, err := net.Dial("tcp", at) // The one that is counted.
	if err != nil {
		t.Fatal(err)
	}
	_, _ = conn.Read(make([]byte, 1))
	conn.Close()
	if came.Load() != 1 {
		t.Errorf("%d connections were made", came.Load()-1)
	}
}

func TestARedirectLeadsNoSecretElsewhere(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the other machine was asked") }))
	defer elsewhere.Close()
	arrived := make(chan string, 1)
	var server *httptest.Server
	server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/away":
			http.Redirect(w, r, strings.Replace(elsewhere.URL, "127.0.0.1", "localhost", 1), http.StatusTemporaryRedirect)
		case "/here":
			http.Redirect(w, r, server.URL+"/there", http.StatusTemporaryRedirect)
		default:
			body, _ := io.ReadAll(r.Body)
			arrived <- r.Header.Get("X-Token") + " " + string(body)
		}
	}))
	defer server.Close()
	n := notifier(nil)
	err := n.Test(t.Context(), notify.Channel{Address: "generic+" + server.URL + "/away?@XToken=secret"})
	if err == nil || !strings.Contains(err.Error(), "redirects") {
		t.Errorf("%v", err)
	}
	if err := n.Test(t.Context(), notify.Channel{Address: "generic+" + server.URL + "/here?@XToken=secret&template=json"}); err != nil {
		t.Fatal(err)
	}
	if got := <-arrived; !strings.HasPrefix(got, `secret {`) || !strings.Contains(got, `"message":"This is a test`) || !strings.Contains(got, `"title":"atozbot"`) {
		t.Errorf("%q", got)
	}
}

func TestAnEndlessAnswerIsCutOff(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for {
			if _, err := w.Write(make([]byte, 32<<10)); err != nil {
				return
			}
		}
	}))
	defer server.Close()
	at := strings.TrimPrefix(server.URL, "http://")
	began := time.Now()
	for _, address := range []string{"ntfy://" + at + "/topic?scheme=http", "gotify://" + at + "/Aaaaaaaaaaaaaaa?disabletls=yes"} {
		if err := notifier(nil).Test(t.Context(), notify.Channel{Address: address}); err == nil {
			t.Errorf("%s: it was taken for an answer", address)
		}
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
}

func TestACertificateThatNobodyVouchesForIsTold(t *testing.T) {
	server := httptest.NewTLSServer(http.NotFoundHandler())
	defer server.Close()
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	for _, address := range []string{"generic+" + server.URL, "ntfy://" + strings.TrimPrefix(server.URL, "https://") + "/topic?disabletlsverification=yes"} {
		if err := notifier(nil).Test(t.Context(), notify.Channel{Address: address}); err == nil || !strings.Contains(err.Error(), "certificate") {
			t.Errorf("%s: %v", address, err)
		}
	}
}

// mailServer takes one mail, and hands over what it was told.
func mailServer(t *testing.T, refuses string) (address string, took chan []string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	took = make(chan []string, 1)
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		lines := bufio.NewScanner(conn)
		say := func(text string) { _, _ = io.WriteString(conn, text+"\r\n") }
		say("220 here")
		var heard []string
		inMail := false
		for lines.Scan() {
			line := lines.Text()
			heard = append(heard, line)
			switch {
			case inMail && line == ".":
				inMail = false
				say("250 taken")
			case inMail:
			case refuses != "" && strings.HasPrefix(line, refuses):
				say("550 no")
			case strings.HasPrefix(line, "EHLO"):
				say("250-here\r\n250 AUTH PLAIN")
			case line == "DATA":
				inMail = true
				say("354 go on")
			case strings.HasPrefix(line, "AUTH"):
				say("235 well")
			case line == "QUIT":
				say("221 bye")
				took <- heard
				return
			default:
				say("250 well")
			}
		}
		took <- heard
	}()
	t.Cleanup(func() { listener.Close() })
	return listener.Addr().String(), took
}

func TestAMailArrivesWholeAndInOneHeader(t *testing.T) {
	address, took := mailServer(t, "")
	n := notify.New(notify.Options{Channels: &book{channels: []notify.Channel{{
		ID: "mail", Kinds: []notify.Kind{notify.Accepted},
		Address: "smtp://user:password@" + address + "/?from=bot%2Bx@example.com&to=one@example.com,two@example.com&fromname=a%0D%0ABcc:%20all@example.com",
	}}}, Log: slog.New(slog.DiscardHandler)})
	n.TellAll(t.Context(), notify.Accepted, "Gebucht: Łódź", "48213/A, Polish\r\n.\r\nQUIT\n"+strings.Repeat("lang ", 40))
	heard := <-took
	text := strings.Join(heard, "\r\n")
	if strings.Count(text, "RCPT TO:<") != 2 || !strings.Contains(text, "MAIL FROM:<bot+x@example.com>") || !strings.Contains(text, "AUTH PLAIN") {
		t.Errorf("%s", text)
	}
	_, first, _ := strings.Cut(text, "DATA\r\n")
	first, _, _ = strings.Cut(first, "\r\n.\r\n")
	got, err := mail.ReadMessage(strings.NewReader(first + "\r\n"))
	if err != nil {
		t.Fatalf("%v in\n%s", err, first)
	}
	if got.Header.Get("Bcc") != "" || got.Header.Get("To") != "<one@example.com>" || got.Header.Get("Message-Id") == "" {
		t.Errorf("%v", got.Header)
	}
	if subject := got.Header.Get("Subject"); !strings.HasPrefix(subject, "=?utf-8?q?Gebucht") {
		t.Errorf("%q", subject)
	}
	for _, line := range heard {
		if len(line) > 998 {
			t.Errorf("a line of %d letters", len(line))
		}
	}
}

func TestAMailThatIsRefusedIsTold(t *testing.T) {
	address, took := mailServer(t, "RCPT")
	err := notifier(nil).Test(t.Context(), notify.Channel{Address: "smtp://" + address + "/?from=a@example.com&to=b@example.com"})
	if err == nil || !strings.Contains(err.Error(), "550") {
		t.Errorf("%v", err)
	}
	<-took
}

func TestAMailThatMustBeEncryptedIsNeverSentInTheClear(t *testing.T) {
	for _, demand := range []string{
		"requirestarttls=yes", "encryption=ExplicitTLS", "usestarttls=no&encryption=ExplicitTLS", "usestarttls=no&requirestarttls=yes", "encryption=None&requirestarttls=yes",
	} {
		address, _ := mailServer(t, "")
		err := notifier(nil).Test(t.Context(), notify.Channel{Address: "smtp://" + address + "/?from=a@example.com&to=b@example.com&" + demand})
		if err == nil {
			t.Errorf("%s: it was sent in the clear", demand)
		}
	}
}

func TestAServiceThatPanicsEndsNothingElse(t *testing.T) {
	var logged strings.Builder
	n := notify.New(notify.Options{
		Channels: &book{}, Log: slog.New(slog.NewTextHandler(&logged, nil)),
		Dial: func(context.Context, string, string) (net.Conn, error) { panic("no answer") },
	})
	err := n.Test(t.Context(), notify.Channel{Address: "smtp://127.0.0.1:25/?from=a@example.com&to=b@example.com"})
	if err == nil || !strings.Contains(logged.String(), "the service panicked: no answer") {
		t.Errorf("%v, logged %q", err, &logged)
	}
}

func TestAConnectionEndsWithItsLetter(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	for _, address := range []string{"ntfy://" + listener.Addr().String() + "/topic?scheme=http", "smtp://" + listener.Addr().String() + "/?from=a@example.com&to=b@example.com"} {
		ctx, cancel := context.WithCancel(t.Context())
		sent := make(chan error, 1)
		go func() { sent <- notifier(nil).Test(ctx, notify.Channel{Address: address}) }()
		conn, err := listener.Accept() // It is never answered.
		if err != nil {
			t.Fatal(err)
		}
		cancel()
		if err := conn.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, conn); err != nil {
			t.Errorf("%s: the connection stays open: %v", address, err)
		}
		conn.Close()
		if err := <-sent; err == nil {
			t.Errorf("%s: it was sent", address)
		}
	}
}

func TestAServiceThatKnowsNoTitleGetsItInItsMessage(t *testing.T) {
	arrived := make(chan string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		arrived <- string(body)
	}))
	defer server.Close()
	address := "mattermost://" + strings.TrimPrefix(server.URL, "http://") + "/token?disabletls=yes"
	if err := notifier(nil).Test(t.Context(), notify.Channel{Address: address}); err != nil {
		t.Fatal(err)
	}
	if got := <-arrived; !strings.Contains(got, `atozbot\nThis is a test`) {
		t.Errorf("%s", got)
	}
}
