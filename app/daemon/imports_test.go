package daemon_test

import (
	"encoding/json"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/atozbot/atozbot"

// allowed says which rooms each room may import. The rooms below a room (portal/practice,
// rules/wallclock) follow the rule of the one above, unless they have one of their own.
var allowed = map[string][]string{
	".":                       {"app/daemon", "app/config", "store", "migrations", "app/portal/practice"},
	"app":                     {},
	"app/config":              {"app"},
	"app/portal":              {"app"},
	"app/portal/practice":     {},
	"app/rules":               {"app", "app/rules"},
	"app/bot":                 {"app", "app/rules"},
	"app/rules/calendar":      {"app", "app/rules/wallclock"},
	"app/live":                {"app"},
	"app/health":              {"app"},
	"app/notify":              {"app"},
	"app/vault":               {},
	"app/api":                 {"app", "app/live", "app/api"},
	"app/web":                 {"app", "static", "app/web"},
	"app/daemon":              {"*"},
	"store":                   {"app", "migrations", "store"},
	"store/storetest":         {"app", "migrations", "store"},
	"migrations":              {},
	"static":                  {},
	"app/daemon/chaos":        {"app/portal/practice", "app"},
	"app/portal/practice/web": {},
}

// ruleOf gives the rule of a room, or of the nearest room above it.
func ruleOf(room string) ([]string, bool) {
	for {
		if rule, ok := allowed[room]; ok {
			return rule, true
		}
		above := strings.LastIndex(room, "/")
		if above < 0 {
			return nil, false
		}
		room = room[:above]
	}
}

func TestImportsPointOneWay(t *testing.T) {
	list := exec.Command("go", "list", "-json=ImportPath,Imports", "./...")
	list.Dir = "../.."
	out, err := list.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	decoder := json.NewDecoder(strings.NewReader(string(out)))
	rooms := 0
	for decoder.More() {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := decoder.Decode(&p); err != nil {
			t.Fatal(err)
		}
		rooms++
		room := strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/")
		if room == "" {
			room = "."
		}
		rule, known := ruleOf(room)
		if !known {
			t.Errorf("%s has no rule of imports: say in this test where it stands", room)
			continue
		}
		for _, imported := range p.Imports {
			other, ours := strings.CutPrefix(imported, module+"/")
			if !ours || slices.Contains(rule, "*") || slices.Contains(rule, other) {
				continue
			}
			// A room may import those below it.
			if strings.HasPrefix(other, room+"/") && room != "app" && room != "." {
				continue
			}
			t.Errorf("%s must not import %s", room, other)
		}
	}
	if rooms < 10 {
		t.Errorf("only %d rooms were looked at", rooms)
	}
}
