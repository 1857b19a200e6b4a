package notify

import (
	"context"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"net/url"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nicholas-fedor/shoutrrr/pkg/router"
	"github.com/nicholas-fedor/shoutrrr/pkg/services/chat/discord"
	"github.com/nicholas-fedor/shoutrrr/pkg/services/chat/mattermost"
	"github.com/nicholas-fedor/shoutrrr/pkg/services/chat/rocketchat"
	"github.com/nicholas-fedor/shoutrrr/pkg/services/email/smtp"
	"github.com/nicholas-fedor/shoutrrr/pkg/services/incident/pagerduty"
	"github.com/nicholas-fedor/shoutrrr/pkg/services/push/bark"
	"github.com/nicholas-fedor/shoutrrr/pkg/services/push/gotify"
	"github.com/nicholas-fedor/shoutrrr/pkg/services/push/ntfy"
	"github.com/nicholas-fedor/shoutrrr/pkg/services/push/pushover"
	"github.com/nicholas-fedor/shoutrrr/pkg/services/specialized/generic"
	"github.com/nicholas-fedor/shoutrrr/pkg/types"

	"github.com/atozbot/atozbot/app"
)

// guarded are the services that can be given a client of ours, whose connections follow
// the policy of addresses: their users may name any machine.
func guarded() []string {
	return []string{"discord", "generic", "gotify", "mattermost", "ntfy", "pagerduty", "pushover", "rocketchat", "smtp"}
}

// vendors are the services that take no client. They may speak with their vendor's own
// machines alone: those whose address names a machine must name one of this domain. What
// is in neither list is not offered: matrix and signal have servers of anybody's own, and
// there is no way to see where a connection goes; zulip takes an answer for granted, and
// panics where there is none.
func vendors() map[string]string {
	return map[string]string{
		"ifttt": "", "join": "", "lark": "", "notifiarr": "", "pushbullet": "", "slack": "", "teams": "", "telegram": "", "wecom": "",
		"bark": "api.day.app", "googlechat": "chat.googleapis.com", "hangouts": "chat.googleapis.com", "opsgenie": "opsgenie.com",
	}
}

// untitled are the services, by their ids, that know no title: some leave it out, some
// take nothing where there is one.
func untitled() []string {
	return []string{"googlechat", "ifttt", "mattermost", "notifiarr", "pagerduty", "rocketchat", "wecom"}
}

// Services are the names that an address may begin with.
func Services() []string {
	return slices.Sorted(slices.Values(append(slices.Collect(maps.Keys(vendors())), guarded()...)))
}

// Check says whether an address is one that can be sent to; CodeInvalid where it is not.
// It asks nobody anything.
func Check(address string) (scheme string, err error) {
	scheme, _, err = open(address)
	return scheme, err
}

// open makes the service of an address.
func open(address string) (scheme string, service types.Service, err error) {
	wrong := func(why string) error {
		return &app.Error{
			Code: app.CodeInvalid, Message: "This is no address of a notification service. It " + why + ".", Fields: map[string]string{"address": why},
		}
	}
	at, err := url.Parse(strings.TrimSpace(address))
	if err != nil || at.Scheme == "" {
		return "", nil, wrong("must be written like ntfy://ntfy.sh/your-topic")
	}
	scheme, custom, _ := strings.Cut(at.Scheme, "+")
	if !slices.Contains(Services(), scheme) {
		return "", nil, wrong("names a service that is not offered here; these are: " + strings.Join(Services(), ", "))
	}
	if domain := vendors()[scheme]; domain != "" && (custom != "" || !below(at.Hostname(), domain)) {
		return "", nil, wrong("must name a machine of " + domain)
	}
	located, err := router.New(log.New(io.Discard, "", 0))
	if err != nil {
		return "", nil, fmt.Errorf("open the notification services: %w", err)
	}
	if service, err = located.Locate(at.String()); err != nil {
		return "", nil, wrong("is not complete for this service")
	}
	if s, ok := service.(*bark.Service); ok && s.Config.Scheme != "https" {
		return "", nil, wrong("must not send in the clear")
	}
	return scheme, service, nil
}

// below tells whether a host is a domain or stands below it.
func below(host, domain string) bool {
	host = strings.ToLower(host)
	return host == domain || strings.HasSuffix(host, "."+domain)
}

// send sends one message. A service that takes no context goes on after it until its
// connections, which end with it, or its own time-out tell it.
func (n *Notifier) send(ctx context.Context, address, title, message string) error {
	scheme, service, err := open(address)
	if err != nil {
		return err
	}
	way := &way{dial: n.o.Dial}
	done := make(chan error, 1)
	go func() {
		defer func() { // A service is foreign code: its mistakes must not end the program.
			if cause := recover(); cause != nil {
				err := fmt.Errorf("the service panicked: %v", cause)
				n.o.Log.Error("a notification service failed badly", "service", scheme, "error", err, "stack", string(debug.Stack()))
				done <- err
			}
		}()
		done <- way.deliver(ctx, service, letter{title: title, message: message, at: n.o.Now()})
	}()
	select {
	case err = <-done:
	case <-ctx.Done():
		err = ctx.Err()
	}
	if refused := way.refusal(); err != nil && refused != nil {
		return refused // Services lose the cause on its way.
	}
	return err
}

// letter is what is sent.
type letter struct {
	title, message string
	at             time.Time
}

// way is how one letter goes out: over connections that the policy of addresses has seen.
type way struct {
	dial func(ctx context.Context, network, address string) (net.Conn, error)

	mu      sync.Mutex
	refused *app.Error // The policy's word, where it forbade a connection.
}

func (w *way) deliver(ctx context.Context, service types.Service, l letter) error {
	switch s := service.(type) {
	case *generic.Service:
		return w.post(ctx, s, l)
	case *smtp.Service:
		config := s.Config.Clone()
		return w.mail(ctx, &config, l)
	case *discord.Service:
		s.HTTPClient = w.client(ctx)
	case *gotify.Service:
		*s.GetHTTPClient() = *w.client(ctx)
	case *mattermost.Service:
		*s.GetHTTPClient() = *w.client(ctx)
	case *ntfy.Service:
		s.SetHTTPClient(w.client(ctx))
	case *pagerduty.Service:
		s.SetHTTPClient(w.client(ctx))
	case *pushover.Service:
		s.Client = w.client(ctx)
	case *rocketchat.Service:
		s.Client = w.client(ctx)
	}
	params, message := types.Params{}, l.message
	if slices.Contains(untitled(), service.GetID()) {
		message = l.title + "\n" + l.message
	} else {
		params.SetTitle(l.title)
	}
	return service.Send(message, &params)
}

// connect makes a connection where the policy allows it, and remembers where it did not.
// The connection ends with ctx at the latest.
func (w *way) connect(ctx context.Context, network, address string) (net.Conn, error) {
	dial := w.dial
	if dial == nil {
		dial = (&net.Dialer{Timeout: longestTry}).DialContext
	}
	conn, err := dial(ctx, network, address)
	if err == nil {
		context.AfterFunc(ctx, func() { _ = conn.Close() })
	}
	if app.CodeOf(err) == app.CodeInvalid {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.refused = &app.Error{Code: app.CodeInvalid, Message: Words(err), Err: err}
	}
	return conn, err
}

// refusal gives the policy's word where it forbade a connection; nil where it did not.
func (w *way) refusal() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.refused == nil {
		return nil
	}
	return w.refused
}

// longestAnswer bounds what is read of a service's answer.
const longestAnswer = 64 << 10

// client is for one letter, and its connections end with ctx. Certificates are always
// verified, no proxy stands between, and a redirect leads nowhere but to the same machine:
// the address holds a secret.
func (w *way) client(ctx context.Context) *http.Client {
	return &http.Client{
		Timeout: longestTry,
		Transport: bounded{&http.Transport{
			DialContext: func(_ context.Context, network, address string) (net.Conn, error) {
				return w.connect(ctx, network, address)
			},
			TLSHandshakeTimeout: longestTry, DisableKeepAlives: true, MaxResponseHeaderBytes: longestAnswer, ForceAttemptHTTP2: true,
		}},
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			if len(via) >= 3 || !strings.EqualFold(r.URL.Hostname(), via[0].URL.Hostname()) || via[0].URL.Scheme == "https" && r.URL.Scheme != "https" {
				return app.Errorf(app.CodeUnavailable, "The service redirects to another address; enter that one.")
			}
			return nil
		},
	}
}

// bounded cuts answers off: services read them to their end.
type bounded struct{ next http.RoundTripper }

// RoundTrip makes one request.
func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := b.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	response.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(response.Body, longestAnswer), response.Body}
	return response, nil
}

// post sends a letter to a webhook, which its service can only do with a client that
// everybody shares. The form is the service's own.
func (w *way) post(ctx context.Context, s *generic.Service, l letter) error {
	config := *s.Config
	params := types.Params{config.TitleKey: l.title, config.MessageKey: l.message}
	body, err := s.GetPayload(&config, params)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, config.RequestMethod, config.WebhookURL().String(), body)
	if err != nil {
		return err
	}
	kind := config.ContentType
	if config.Template == "" {
		kind = "text/plain"
	}
	request.Header.Set("Content-Type", kind)
	request.Header.Set("Accept", kind)
	for name, values := range config.GetURL().Query() { // Headers are written there as @Name.
		if name, ok := strings.CutPrefix(name, "@"); ok && len(values) > 0 {
			request.Header.Set(name, values[0])
		}
	}
	response, err := w.client(ctx).Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("the webhook answers %s", response.Status)
	}
	return nil
}
