package daemon

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"github.com/atozbot/atozbot/app/config"
)

// longestHealthcheck is below the 3 s that container engines mostly wait.
const longestHealthcheck = 2500 * time.Millisecond

// Healthcheck asks the running server whether it is alive, or ready. It is for container
// engines, in an image that has neither a shell nor curl.
func (p Process) Healthcheck(ctx context.Context, ready bool) error {
	ctx, cancel := context.WithTimeout(ctx, longestHealthcheck)
	defer cancel()
	address := serverAddress(p.Settings) + "/health/live"
	if ready {
		address = serverAddress(p.Settings) + "/health/ready"
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return fmt.Errorf("ask the server: %w", err)
	}
	client := &http.Client{Transport: &http.Transport{
		// The server is this machine's own: neither a proxy nor another authority stands
		// between, and its certificate names the outside.
		Proxy:           nil,
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // Nothing secret is sent or believed.
	}}
	defer client.CloseIdleConnections()
	response, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("the server does not answer: %w", err)
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(response.Body, 4<<10)) // What came is shown, whole or not.
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the server answers %s: %s", response.Status, body)
	}
	fmt.Fprintf(p.Stdout, "%s", body)
	return nil
}

// serverAddress is where this machine reaches the server.
func serverAddress(s config.Settings) string {
	host := string(s.APIHost)
	if address, err := netip.ParseAddr(host); err == nil && address.IsUnspecified() {
		host = "127.0.0.1"
		if address.Is6() {
			host = "::1"
		}
	}
	scheme := "http"
	if s.TLSCertFile != "" {
		scheme = "https"
	}
	return scheme + "://" + net.JoinHostPort(host, strconv.Itoa(s.APIPort))
}
