package api_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/atozbot/atozbot/app/api"
)

// figures are those of another room.
type figures struct{}

func (figures) Measure() []api.Measurement {
	return []api.Measurement{
		{Name: "atozbot_looks_total", Help: "Looks at the board.", Labels: map[string]string{"account": "default"}, Value: 12, Kind: api.Counter},
		{Name: "atozbot_look_seconds", Help: "How long looks took.", Kind: api.Histogram, Count: 4, Sum: 0.5, Buckets: map[float64]uint64{0.1: 3, 1: 4}},
	}
}

func TestTheFiguresAreForThoseWhoMayReadThem(t *testing.T) {
	h := newHouse()
	o := h.options(h.hub(t))
	o.Measured = append(o.Measured, figures{})
	s := request(api.New(o), "GET", "/metrics", "")
	for _, want := range []string{
		`atozbot_build_info{goversion="go`, "atozbot_listeners 0", "atozbot_looks_total{account=\"default\"} 12",
		`atozbot_look_seconds_bucket{le="0.1"} 3`, "go_goroutines",
	} {
		if !strings.Contains(s.Body.String(), want) {
			t.Errorf("the figures lack %s:\n%s", want, s.Body)
		}
	}
	o.MetricsElsewhere = true
	elsewhere := api.New(o)
	if w := request(elsewhere, "GET", "/metrics", ""); w.Code != http.StatusNotFound {
		t.Errorf("with an address of their own the figures answer %d here, want 404", w.Code)
	}
	w := httptest.NewRecorder()
	elsewhere.Metrics().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	if w.Code != 200 || !strings.Contains(w.Body.String(), "atozbot_looks_total") {
		t.Errorf("at their own address the figures answer %d", w.Code)
	}
}

func TestAPageThatPanicsIsCountedAsAFailure(t *testing.T) {
	h := newHouse()
	s := api.New(h.options(h.hub(t)))
	page := s.Counted("page", http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("a mistake") }))
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic went no further")
			}
		}()
		page.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil))
	}()
	if w := request(s, "GET", "/metrics", ""); !strings.Contains(w.Body.String(), `atozbot_http_requests_total{code="500",method="GET",route="page"} 1`) {
		t.Errorf("%s", w.Body)
	}
}
