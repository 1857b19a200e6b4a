package daemon_test

import (
	"net/url"
	"testing"
	"time"

	"github.com/atozbot/atozbot/app/daemon/chaos"
	"github.com/atozbot/atozbot/app/portal/practice"
	"github.com/atozbot/atozbot/store/storetest"
)

func TestTheEndComesInTimeWhileEverythingHangs(t *testing.T) {
	dsn, err := url.Parse(storetest.Postgres(t))
	if err != nil {
		t.Fatal(err)
	}
	proxy, err := chaos.NewProxy(dsn.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer proxy.Close()
	dsn.Host = proxy.Address()
	portal := openStand(t, practice.Mixed(11, 500))
	l := launch(t, portal.forBot("ATOZBOT_DATA_DIR="+t.TempDir(), "API_PORT="+freePort(t), "DATABASE_URL="+dsn.String(), "DB_CONNECT_DELAY=500ms"))
	until(t, 20*time.Second, "the bot works", func() bool { return portal.Counts().Accepted > 3 })
	if err := proxy.Set(chaos.ModeBlackhole); err != nil {
		t.Fatal(err)
	}
	if err := portal.SetFault(practice.Fault{Name: "hangs", Kind: practice.FaultHang, Page: practice.PageAny, Probability: 1, Delay: time.Minute}); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if code := l.stop(t); code != 0 {
		t.Errorf("exit status %d", code)
	}
	took := time.Since(began)
	t.Logf("it ended after %v", took)
	if took > 10*time.Second {
		t.Errorf("it ended after %v", took)
	}
}
