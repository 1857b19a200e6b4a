package daemon_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/atozbot/atozbot/app/portal/practice"
	"github.com/atozbot/atozbot/store/storetest"
)

// exported is what a scrape gives: by the name of a series, the values that each of its
// labels takes.
type exported struct {
	series map[string]map[string][]string
	kinds  map[string]string // By the name of a family: counter, gauge, histogram …
	helps  map[string]string
}

// scraped reads the text that Prometheus reads.
func scraped(t *testing.T, text string) exported {
	t.Helper()
	e := exported{series: map[string]map[string][]string{}, kinds: map[string]string{}, helps: map[string]string{}}
	sample := regexp.MustCompile(`^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? [^ ]+$`)
	label := regexp.MustCompile(`([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"`)
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if words := strings.SplitN(line, " ", 4); len(words) == 4 && words[0] == "#" {
			switch words[1] {
			case "TYPE":
				e.kinds[words[2]] = words[3]
			case "HELP":
				e.helps[words[2]] = words[3]
			}
			continue
		}
		found := sample.FindStringSubmatch(line)
		if found == nil {
			t.Fatalf("no sample: %q", line)
		}
		if e.series[found[1]] == nil {
			e.series[found[1]] = map[string][]string{}
		}
		for _, pair := range label.FindAllStringSubmatch(found[2], -1) {
			e.series[found[1]][pair[1]] = append(e.series[found[1]][pair[1]], pair[2])
		}
	}
	return e
}

// scrape boots the program on PostgreSQL, with its figures at an address of their own,
// and gives them once a session has seen a board.
func scrape(t *testing.T) exported {
	t.Helper()
	portal := openStand(t, practice.Mixed(3, 20))
	r := boot(t, portal.forBot(
		"DATABASE_URL="+storetest.Postgres(t), "ATOZBOT_DATA_DIR="+t.TempDir(), "METRICS_ADDR=127.0.0.1:0")...)
	address := r.log.await(t, `metrics at (http://127\.0\.0\.1:\d+/metrics)`)[1]
	var text string
	until(t, 30*time.Second, "a session has seen a board", func() bool {
		response, err := r.watch.Get(address)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil || response.StatusCode != http.StatusOK {
			t.Fatalf("%s %v", response.Status, err)
		}
		text = string(body)
		r.visit(t) // So that there is a request to count.
		return regexp.MustCompile(`atozbot_looks_total\{page="board"\} [1-9]`).MatchString(text) &&
			strings.Contains(text, `atozbot_dependency_up{dependency="portal"} 1`) && strings.Contains(text, "atozbot_http_requests_total{")
	})
	// They have an address of their own, and then none beside the API.
	response, err := r.watch.Get(r.url + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusNotFound {
		t.Errorf("with METRICS_ADDR set, /metrics answers %s at the API's address", response.Status)
	}
	return scraped(t, text)
}

// visit asks for a page.
func (r *running) visit(t *testing.T) {
	t.Helper()
	response, err := r.watch.Get(r.url + "/sign-in")
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
}

// misses gives what an expression names and the program does not export.
func (e exported) misses(expression string) (missing []string) {
	plain := regexp.MustCompile(`"(?:[^"\\]|\\.)*"`).ReplaceAllStringFunc(expression, func(quoted string) string {
		return `"` + strings.Repeat("x", len(quoted)-2) + `"`
	})
	for _, pair := range []string{"()", "[]", "{}"} {
		if strings.Count(plain, pair[:1]) != strings.Count(plain, pair[1:]) {
			missing = append(missing, "a bracket")
		}
	}
	names := regexp.MustCompile(`\b(atozbot|go|process|promhttp)_[a-z0-9_]+(?:\{[^}]*\})?`)
	matcher := regexp.MustCompile(`([a-z_]+)(=~|!~|!=|=)"([^"]*)"`)
	grouped := regexp.MustCompile(`\bby \(([^)]*)\)`)
	var labels []string
	for _, named := range names.FindAllString(expression, -1) {
		name, selectors, _ := strings.Cut(named, "{")
		known, ok := e.series[name]
		if !ok {
			missing = append(missing, name)
			continue
		}
		for label := range known {
			labels = append(labels, label)
		}
		for _, m := range matcher.FindAllStringSubmatch(selectors, -1) {
			switch values, ok := known[m[1]]; {
			case m[1] == "instance" || m[1] == "job": // Prometheus adds them.
			case !ok:
				missing = append(missing, name+"{"+m[1]+"}")
			case m[2] == "=" && !slices.Contains(values, m[3]):
				missing = append(missing, name+"{"+m[1]+`="`+m[3]+`"}`)
			}
		}
	}
	for _, by := range grouped.FindAllStringSubmatch(expression, -1) {
		for label := range strings.SplitSeq(by[1], ",") {
			if label = strings.TrimSpace(label); label != "instance" && label != "job" && !slices.Contains(labels, label) {
				missing = append(missing, "by ("+label+")")
			}
		}
	}
	return missing
}

func monitoringFile(t *testing.T, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("..", "..", "docs", "monitoring", name))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func TestMonitoringNamesWhatIsExportedAndNothingElse(t *testing.T) {
	e := scrape(t)
	t.Run("the figures follow the conventions", func(t *testing.T) {
		for family, kind := range e.kinds {
			if !strings.HasPrefix(family, "atozbot_") {
				continue
			}
			total := strings.HasSuffix(family, "_total")
			if e.helps[family] == "" || (kind == "counter") != total || regexp.MustCompile(`_(ms|millis|milliseconds|minutes|kb|percent)(_|$)`).MatchString(family) {
				t.Errorf("%s, a %s: %q", family, kind, e.helps[family])
			}
			if kind == "histogram" && !strings.HasSuffix(family, "_seconds") {
				t.Errorf("%s has no unit", family)
			}
		}
		for _, promised := range []string{
			"atozbot_looks_total", "atozbot_look_duration_seconds_bucket", "atozbot_reaction_seconds_count", "atozbot_job_outcomes_total",
			"atozbot_backoff_remaining_seconds", "atozbot_journal_waiting", "atozbot_journal_parked", "atozbot_dependency_up",
			"atozbot_http_requests_total", "atozbot_http_request_duration_seconds_sum", "atozbot_listeners", "atozbot_build_info",
		} {
			if e.series[promised] == nil {
				t.Errorf("%s is not exported", promised)
			}
		}
		if got := e.series["atozbot_job_outcomes_total"]["outcome"]; !slices.Contains(got, "lost") || !slices.Contains(got, "vanished") {
			t.Errorf("outcomes that have not happened yet are not there at 0: %v", got)
		}
	})
	t.Run("the alert rules", func(t *testing.T) { holdRules(t, e, monitoringFile(t, "alerts.yaml")) })
	t.Run("the dashboard", func(t *testing.T) { holdDashboard(t, e, monitoringFile(t, "grafana.json")) })
	t.Run("a name that has drifted is found", func(t *testing.T) {
		for _, wrong := range []string{
			"atozbot_no_such_total", `atozbot_looks_total{side="left"}`, `atozbot_dependency_up{dependency="mars"} == 0`,
			"sum by (colour) (atozbot_listeners)", "rate(atozbot_listeners[5m]",
		} {
			if len(e.misses(wrong)) == 0 {
				t.Errorf("%s passes", wrong)
			}
		}
	})
}

func holdRules(t *testing.T, e exported, content []byte) {
	var file struct {
		Groups []struct {
			Name  string
			Rules []struct {
				Alert, Expr string
				For         string
				Labels      map[string]string
				Annotations map[string]string
			}
		}
	}
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	decoder.KnownFields(true)
	if err := decoder.Decode(&file); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, group := range file.Groups {
		for _, rule := range group.Rules {
			if rule.Alert == "" || seen[rule.Alert] || rule.Expr == "" || rule.Annotations["summary"] == "" || rule.Annotations["description"] == "" ||
				!slices.Contains([]string{"page", "ticket"}, rule.Labels["severity"]) {
				t.Errorf("not whole: %+v", rule)
			}
			seen[rule.Alert] = true
			if rule.For != "" {
				if _, err := time.ParseDuration(rule.For); err != nil {
					t.Errorf("%s: %v", rule.Alert, err)
				}
			}
			if missing := e.misses(rule.Expr); len(missing) > 0 {
				t.Errorf("%s names what is not exported: %v", rule.Alert, missing)
			}
		}
	}
	if len(seen) < 10 {
		t.Errorf("%d alerts", len(seen))
	}
}

func holdDashboard(t *testing.T, e exported, content []byte) {
	var file struct {
		Title, UID string
		Panels     []struct {
			ID      int
			Title   string
			Targets []struct{ Expr string }
		}
		Templating struct {
			List []struct{ Name, Query string }
		}
	}
	if err := json.Unmarshal(content, &file); err != nil {
		t.Fatal(err)
	}
	ids := map[int]bool{}
	for _, panel := range file.Panels {
		if panel.ID == 0 || ids[panel.ID] || panel.Title == "" || len(panel.Targets) == 0 {
			t.Errorf("not whole: %+v", panel)
		}
		ids[panel.ID] = true
		for _, target := range panel.Targets {
			if missing := e.misses(target.Expr); len(missing) > 0 || target.Expr == "" {
				t.Errorf("%q names what is not exported: %v", panel.Title, missing)
			}
		}
	}
	for _, variable := range file.Templating.List {
		if missing := e.misses(variable.Query); len(missing) > 0 {
			t.Errorf("the choice %q names what is not exported: %v", variable.Name, missing)
		}
	}
	if file.Title == "" || file.UID == "" || len(ids) < 10 {
		t.Errorf("%q %q with %d panels", file.Title, file.UID, len(ids))
	}
}
