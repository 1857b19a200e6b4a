package api

import (
	"net/http"
	"runtime"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// requestFigures counts requests, and shows those and everybody else's figures to
// Prometheus, from a registry of its own.
type requestFigures struct {
	total    *prometheus.CounterVec
	duration *prometheus.HistogramVec
	handler  http.Handler
}

func newRequestFigures(o Options) *requestFigures {
	f := &requestFigures{
		total: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "atozbot_http_requests_total", Help: "Requests answered, by route, method and status.",
		}, []string{"route", "method", "code"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "atozbot_http_request_duration_seconds", Help: "How long answers took, by route; streams are left out.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10},
		}, []string{"route"}),
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(f.total, f.duration, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), &measuredCollector{rooms: append([]Measured{own{o}}, o.Measured...)})
	f.handler = promhttp.HandlerFor(registry, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError})
	return f
}

// streams stay open for hours: how long they took says nothing.
func streams(route string) bool { return route == "/ws" || route == "/api/events" }

func (f *requestFigures) observe(route, method string, status int, took time.Duration) {
	if route == "" {
		route, method = "none", "any" // What nobody asked for must not make figures without end.
	}
	if status == 0 {
		status = http.StatusSwitchingProtocols
	}
	f.total.WithLabelValues(route, method, statusText(status)).Inc()
	if !streams(route) {
		f.duration.WithLabelValues(route).Observe(took.Seconds())
	}
}

// Counted counts what another handler answers, under one name: pages have addresses
// without end, and each would be a figure of its own.
func (s *Server) Counted(route string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began, panics := s.o.Now(), true
		rec := &recorder{ResponseWriter: w}
		defer func() {
			if panics && rec.status == 0 { // Whoever stands in front answers so.
				rec.status = http.StatusInternalServerError
			}
			s.requests.observe(route, knownMethod(r.Method), rec.status, s.o.Now().Sub(began))
		}()
		next.ServeHTTP(rec, r)
		panics = false
	})
}

// knownMethod keeps methods that somebody invented out of the figures.
func knownMethod(m string) string {
	if safeMethod(m) != m {
		return "other"
	}
	return m
}

// statusText spares the commonest status a conversion.
func statusText(status int) string {
	if status == http.StatusOK {
		return "200"
	}
	return strconv.Itoa(status)
}

// own are the API's own figures.
type own struct{ o Options }

// Measure gives the version and the listeners.
func (m own) Measure() []Measurement {
	figures := []Measurement{{
		Name: "atozbot_build_info", Help: "1, with the version, the commit and the Go version as labels.",
		Labels: map[string]string{"version": m.o.Version, "revision": m.o.Commit, "goversion": runtime.Version()}, Value: 1,
	}}
	if m.o.Watch == nil {
		return figures
	}
	return append(figures,
		Measurement{Name: "atozbot_listeners", Help: "Who listens to live updates now.", Value: float64(m.o.Watch.Listeners())},
		Measurement{
			Name: "atozbot_listeners_dropped_total", Help: "Listeners let go because they were too slow.",
			Value: float64(m.o.Watch.Dropped()), Kind: Counter,
		})
}

// measuredCollector asks the rooms at each scrape.
type measuredCollector struct{ rooms []Measured }

// Describe names nothing: what rooms measure may change while the server runs.
func (c *measuredCollector) Describe(chan<- *prometheus.Desc) {}

// Collect asks every room.
func (c *measuredCollector) Collect(out chan<- prometheus.Metric) {
	for _, room := range c.rooms {
		for _, m := range room.Measure() {
			out <- metricOf(m)
		}
	}
}

// metricOf turns a measurement into Prometheus' form. One that has no good name becomes
// an error of the scrape, which names it.
func metricOf(m Measurement) prometheus.Metric {
	desc := prometheus.NewDesc(m.Name, m.Help, nil, m.Labels)
	var metric prometheus.Metric
	var err error
	switch m.Kind {
	case Histogram:
		metric, err = prometheus.NewConstHistogram(desc, m.Count, m.Sum, m.Buckets)
	case Counter:
		metric, err = prometheus.NewConstMetric(desc, prometheus.CounterValue, m.Value)
	default:
		metric, err = prometheus.NewConstMetric(desc, prometheus.GaugeValue, m.Value)
	}
	if err != nil {
		return prometheus.NewInvalidMetric(desc, err)
	}
	return metric
}
