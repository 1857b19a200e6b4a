package daemon_test

import (
	"regexp"
	"testing"
)

func TestAFirstStartComplainsOfNothing(t *testing.T) {
	r := boot(t, "ATOZBOT_DATA_DIR="+t.TempDir(), "API_PORT=0", "ATOZBOT_API_TOKEN="+token)
	r.log.await(t, `nobody can sign in yet`)
	if err := r.end(); err != nil {
		t.Fatal(err)
	}
	for _, line := range regexp.MustCompile(`(?m)^.*level=(WARN|ERROR).*$`).FindAllString(r.log.String(), -1) {
		t.Error(line)
	}
}
