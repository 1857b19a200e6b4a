package daemon

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/atozbot/atozbot/app"
	"github.com/atozbot/atozbot/app/config"
	"github.com/atozbot/atozbot/app/notify"
	"github.com/atozbot/atozbot/app/portal/practice"
	"github.com/atozbot/atozbot/app/web"
	"github.com/atozbot/atozbot/store"
	"github.com/atozbot/atozbot/store/storetest"
)

// read reads settings as the program does.
func read(t *testing.T, environment ...string) config.Settings {
	t.Helper()
	s, err := config.Read(nil, environment)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestAddressesFromTheDashboardLeadToNoNeighboursSecrets(t *testing.T) {
	for text, allowed := range map[string]struct{ usually, private bool }{
		"93.184.216.34": {true, true}, "2606:2800:220:1::1": {true, true},
		"127.0.0.1": {false, true}, "::1": {false, true}, "10.0.0.8": {false, true}, "192.168.1.1": {false, true}, "172.16.0.1": {false, true},
		"fd12::1": {false, true}, "100.64.0.1": {false, true}, "::ffff:10.0.0.8": {false, true}, "64:ff9b::a00:8": {false, true},
		"169.254.169.254": {false, false}, "::ffff:169.254.169.254": {false, false}, "fe80::1": {false, false}, "fd00:ec2::254": {false, false},
		"0.0.0.0": {false, false}, "::": {false, false}, "224.0.0.1": {false, false}, "ff02::1": {false, false}, "255.255.255.255": {false, false},
		"0.1.2.3": {false, true}, "198.18.0.1": {false, true}, "240.0.0.1": {false, true}, "fec0::1": {false, true}, "2001:db8::1": {true, true},
		// Clouds keep credentials at these; no wrapping helps.
		"168.63.129.16": {false, false}, "192.0.0.192": {false, false}, "100.100.100.200": {false, false}, "fd20:ce::254": {false, false}, "fd00:ec2::123": {false, false},
		"fe80::1%eth0": {false, false}, "fd00:ec2::254%eth0": {false, false}, "169.254.0.23": {false, false},
		"64:ff9b::a9fe:a9fe": {false, false}, "64:ff9b:1::a9fe:a9fe": {false, false}, "::a9fe:a9fe": {false, false}, "::ffff:0:a9fe:a9fe": {false, false},
		"2002:a9fe:a9fe::1": {false, false}, "2001:0:1:2:3:4:5601:5601": {false, false}, "64:ff9b::a8": {false, true}, "64:ff9b::7f00:1": {false, true},
		"::7f00:1": {false, true}, "64:ff9b::5db8:d822": {false, true},
	} {
		ip := netip.MustParseAddr(text)
		if got := (addresses{}).check(ip) == nil; got != allowed.usually {
			t.Errorf("%s is allowed: %v", text, got)
		}
		if got := (addresses{private: true}).check(ip) == nil; got != allowed.private {
			t.Errorf("%s is allowed where private ones are: %v", text, got)
		}
	}
}

func TestTheNameIsJudgedByWhereItLeads(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	address := strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
	if _, err := (addresses{}).client(time.Second).Get(address); err == nil || !strings.Contains(err.Error(), "this computer") {
		t.Errorf("it was asked: %v", err)
	}
	for _, form := range []string{"2130706433", "0x7f.1", "017700000001", "127.1", "localhost.", "[::ffff:127.0.0.1]", "[::1]", "0", "[::]"} {
		address := strings.Replace(server.URL, "127.0.0.1", form, 1)
		if response, err := (addresses{}).client(time.Second).Get(address); err == nil {
			response.Body.Close()
			t.Errorf("%s was asked", address)
		}
	}
	elsewhere := httptest.NewServer(http.RedirectHandler("http://169.254.169.254/latest/meta-data/", http.StatusFound))
	defer elsewhere.Close()
	if _, err := (addresses{private: true}).client(time.Second).Get(elsewhere.URL); err == nil || !strings.Contains(err.Error(), "own services") {
		t.Errorf("the redirect was followed: %v", err)
	}
}

func TestNoSecretOfTheSettingsStandsInTheLog(t *testing.T) {
	var out bytes.Buffer
	const password = `p"ä/s$ w0rd&x`
	p := Process{Settings: read(t, "ATOZ_PASSWORD="+password, "DATABASE_URL=postgres://u:geheim12@h/d", "LOG_FORMAT=json"), Stderr: &out}
	log := p.log()
	log.Info("careless", "password", password, "quoted", fmt.Sprintf("%q", password), "error", fmt.Errorf("cannot reach postgres://u:geheim12@h/d"))
	for _, form := range []string{password, "w0rd", "geheim12"} {
		if strings.Contains(out.String(), form) {
			t.Errorf("%q stands in %s", form, out.String())
		}
	}
	if !strings.Contains(out.String(), "careless") || !strings.Contains(out.String(), "[hidden]") {
		t.Error(out.String())
	}
}

func TestAReplicaKeepsItsNameOverRestartsAndSharesItWithNobody(t *testing.T) {
	folder := t.TempDir()
	first, err := thisReplica(folder, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	second, err := thisReplica(folder, time.Now())
	if err != nil || second.id == first.id {
		t.Errorf("two processes at once are both %q (%v)", first.id, err)
	}
	second.leave()
	first.leave()
	third, err := thisReplica(folder, time.Now())
	if err != nil || third.id != first.id {
		t.Errorf("after a restart it is %q and was %q (%v)", third.id, first.id, err)
	}
	third.leave()
	if err := os.WriteFile(filepath.Join(folder, "replica"), []byte("\x00\x00"), 0o600); err != nil {
		t.Fatal(err)
	}
	fourth, err := thisReplica(folder, time.Now())
	if err != nil || !replicaID().MatchString(fourth.id) {
		t.Errorf("after damage it is %q (%v)", fourth.id, err)
	}
	fourth.leave()
}

func TestTheNotebookKeepsWhatPeopleWantToSee(t *testing.T) {
	book := newNotebook([]string{"hunter2hunter2"})
	ctx := t.Context()
	h := noting{Handler: slog.NewTextHandler(&bytes.Buffer{}, nil), notebook: book}
	log := slog.New(h)
	log.Info("Redis is there")
	log.With(partKey, "bot").Info("posted")
	log.With(partKey, "bot").Error("it broke", "error", "x")
	log.With(partKey, "database").Warn("away", "do", "start it", "error", "postgres://u:hunter2hunter2@h/d is away")
	var stored []app.LogEntry
	book.flush(ctx, func() bool { return false }, nil)
	book.flush(ctx, func() bool { return true }, func(context.Context, []app.LogEntry) error { return context.DeadlineExceeded })
	book.flush(ctx, func() bool { return true }, func(_ context.Context, e []app.LogEntry) error { stored = append(stored, e...); return nil })
	var got []string
	for _, e := range stored {
		got = append(got, e.Component+" "+e.Level+" "+e.Message)
	}
	if want := "program INFO Redis is there|bot ERROR it broke error=x|database WARNING away do=start it error=postgres://u:[hidden]@h/d is away"; strings.Join(got, "|") != want {
		t.Errorf("%s", strings.Join(got, "|"))
	}
	for i := range longestNotebook + 5 {
		log.Info(fmt.Sprint(i))
	}
	if kept := book.take(); len(kept) != longestNotebook+1 || !strings.HasPrefix(kept[0].Message, "5 lines") {
		t.Errorf("%d lines were kept, the first is %q", len(kept), kept[0].Message)
	}
}

// deskOf is what the dashboard's settings stand on, with a database of its own.
func deskOf(t *testing.T, environment ...string) (*store.Store, *account, *busyBook, *feed) {
	t.Helper()
	environment = append(environment, "ATOZBOT_DATA_DIR="+t.TempDir())
	s := read(t, environment...)
	db := storetest.Open(t, storetest.SQLite(t), store.Options{})
	if err := db.EnsureAccount(t.Context(), time.Now()); err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	safe := openSafe(s, db, log)
	book := &rulebook{source: db, account: app.DefaultAccountID, log: log}
	client, err := openPortal(s)
	if err != nil {
		t.Fatal(err)
	}
	busy := &busyBook{
		db: db, safe: safe, account: app.DefaultAccountID, book: book, client: addresses{private: s.AllowPrivateAddresses}.client(5 * time.Second), now: time.Now, log: log,
	}
	return db, newAccount(s, safe, client, book, newFigures(), log), busy, &feed{db: db, safe: safe, account: app.DefaultAccountID, version: "test", now: time.Now}
}

func TestALogInFromTheDashboardIsTriedSealedAndInForce(t *testing.T) {
	stand := httptest.NewServer(practice.New(practice.Demo(time.Now()), practice.Options{}))
	defer stand.Close()
	db, account, _, _ := deskOf(t, "ALLOW_PRIVATE_ADDRESSES=true")
	page := webPortal{account}
	ctx := t.Context()

	if err := account.credentials(); app.CodeOf(err) != app.CodeConflict || !strings.Contains(err.Error(), "ATOZ_USERNAME and ATOZ_PASSWORD") {
		t.Errorf("without a log-in: %v", err)
	}
	wrong := web.PortalLogIn{BaseURL: stand.URL, Username: practice.DefaultEmail, Password: "not it"}
	if _, err := page.TryLogIn(ctx, wrong); err == nil {
		t.Error("a wrong password works")
	}
	right := web.PortalLogIn{BaseURL: stand.URL + "/", Username: practice.DefaultEmail, Password: practice.DefaultPassword}
	if trial, err := page.TryLogIn(ctx, right); err != nil || trial.Jobs == 0 {
		t.Errorf("%+v %v", trial, err)
	}
	if err := page.SaveLogIn(ctx, right, web.Person{Name: "admin"}); err != nil {
		t.Fatal(err)
	}
	if account.credentials() != nil {
		t.Error("the log-in is not in force")
	}
	if err := account.LogIn(ctx); err != nil {
		t.Error(err)
	}
	if board, err := account.Look(ctx); err != nil || len(board.Jobs) == 0 {
		t.Errorf("%d jobs, %v", len(board.Jobs), err)
	}
	sealed, err := db.Secret(ctx, portalSecret)
	if err != nil || bytes.Contains(sealed.Sealed, []byte(practice.DefaultPassword)) {
		t.Errorf("it is stored as %q (%v)", sealed.Sealed, err)
	}
	if _, err := page.TryLogIn(ctx, web.PortalLogIn{BaseURL: "http://127.0.0.1:1", Username: practice.DefaultEmail}); app.CodeOf(err) != app.CodeInvalid {
		t.Errorf("the stored password was sent elsewhere: %v", err)
	}

	again := newAccount(account.settings, account.safe, account.inForce.Load().client, account.rulebook, account.figures, account.log)
	if err := again.load(ctx); err != nil || again.credentials() != nil {
		t.Errorf("after a restart: %v", err)
	}
}

func TestALogInFromTheDashboardFollowsThePolicyOfAddresses(t *testing.T) {
	_, account, _, _ := deskOf(t)
	_, err := webPortal{account}.TryLogIn(t.Context(), web.PortalLogIn{BaseURL: "http://127.0.0.1:1", Username: "a", Password: "b"})
	if err == nil || !strings.Contains(err.Error(), "this computer") {
		t.Errorf("%v", err)
	}
}

func TestALogInOfTheSettingsCanOnlyBeChangedThere(t *testing.T) {
	_, account, _, _ := deskOf(t, "ATOZ_USERNAME=me")
	shown, err := webPortal{account}.Account(t.Context())
	if err != nil || !shown.FromEnvironment || shown.HasPassword {
		t.Errorf("%+v %v", shown, err)
	}
	err = webPortal{account}.SaveLogIn(t.Context(), web.PortalLogIn{Username: "you", Password: "x"}, web.Person{})
	if app.CodeOf(err) != app.CodeConflict {
		t.Errorf("%v", err)
	}
	if err := account.credentials(); err == nil || strings.Contains(err.Error(), "ATOZ_USERNAME") {
		t.Errorf("%v", err)
	}
}

func TestWithPostgreSQLSecretsNeedAKeyThatReplicasShare(t *testing.T) {
	s := read(t, "DATABASE_URL=postgres://u:p@h/d", "ATOZBOT_DATA_DIR="+t.TempDir())
	x := openSafe(s, nil, slog.New(slog.DiscardHandler))
	if err := x.put(t.Context(), "a", "b"); app.CodeOf(err) != app.CodeConflict || !strings.Contains(err.Error(), "ATOZBOT_SECRET_KEY") {
		t.Errorf("%v", err)
	}
	if _, err := os.Stat(filepath.Join(s.DataDir, keyFile)); err == nil {
		t.Error("a key was made that nobody shares")
	}
}

func TestTheFeedIsForWhoKnowsItsSecret(t *testing.T) {
	_, _, _, feed := deskOf(t)
	ctx := t.Context()
	if _, err := feed.Feed(ctx, "x"); app.CodeOf(err) != app.CodeNotFound {
		t.Errorf("before there is one: %v", err)
	}
	path, err := feed.path(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := feed.safe.putFirst(ctx, feedSecret, "of a replica that came too late"); err != nil {
		t.Fatal(err)
	}
	if again, err := feed.path(ctx); err != nil || again != path {
		t.Errorf("the path was %s and is %s, %v", path, again, err)
	}
	secret := strings.TrimSuffix(strings.TrimPrefix(path, "/calendar/"), ".ics")
	if text, err := feed.Feed(ctx, secret); err != nil || !bytes.HasPrefix(text, []byte("BEGIN:VCALENDAR")) {
		t.Errorf("%q %v", text, err)
	}
	if err := feed.renew(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := feed.Feed(ctx, secret); app.CodeOf(err) != app.CodeNotFound {
		t.Errorf("the old secret still holds: %v", err)
	}
}

func TestABusyCalendarKeepsItsTimeBusy(t *testing.T) {
	begins := time.Now().UTC().Add(72 * time.Hour).Truncate(time.Hour)
	body := fmt.Sprintf("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20260101T000000Z\r\nSUMMARY:dentist\r\nDTSTART:%s\r\nDTEND:%s\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
		begins.Format("20060102T150405Z"), begins.Add(time.Hour).Format("20060102T150405Z"))
	answers := http.StatusOK
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(answers)
		_, _ = w.Write([]byte(body))
	}))
	defer server.Close()
	_, _, busy, _ := deskOf(t, "ALLOW_PRIVATE_ADDRESSES=true")
	ctx := t.Context()
	for _, wrong := range []string{"", "ftp://x", "file:///etc/passwd", "http://", server.URL + "\x00"} {
		if err := busy.add(ctx, "private", wrong, "me"); app.CodeOf(err) != app.CodeInvalid {
			t.Errorf("%q: %v", wrong, err)
		}
	}
	if err := busy.add(ctx, "private", server.URL, "me"); err != nil {
		t.Fatal(err)
	}
	listed, err := busy.list(ctx)
	if err != nil || len(listed) != 1 || listed[0].Entries != 1 || listed[0].LastError != "" || listed[0].LastRead.IsZero() {
		t.Fatalf("%+v %v", listed, err)
	}
	tally := busy.addTo(app.Tally{})
	if len(tally.Bookings) != 1 || tally.Bookings[0].Firm || !tally.Bookings[0].StartsAt.Equal(begins) {
		t.Errorf("%+v", tally)
	}

	answers = http.StatusInternalServerError
	if err := busy.read(ctx, listed[0].ID); err == nil || !strings.Contains(err.Error(), "500") {
		t.Errorf("%v", err)
	}
	if len(busy.bookings()) != 1 {
		t.Error("a calendar that cannot be read lets go of its time")
	}
	if err := busy.remove(ctx, listed[0].ID); err != nil || len(busy.bookings()) != 0 {
		t.Errorf("%v", err)
	}
}

func TestAChannelIsKeptSealedAndTested(t *testing.T) {
	arrived := make(chan string, 4)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { arrived <- r.URL.Path }))
	defer server.Close()
	db, account, _, _ := deskOf(t)
	ctx := t.Context()
	kept := &channels{db: db, safe: account.safe, account: app.DefaultAccountID, now: time.Now, figures: account.figures}
	kept.test = notify.New(notify.Options{Channels: kept, Log: account.log}).Test
	page := webChannels{kept}
	if err := page.AddChannel(ctx, web.Channel{}, "nonsense", web.Person{}); app.CodeOf(err) != app.CodeInvalid {
		t.Errorf("%v", err)
	}
	if err := page.AddChannel(ctx, web.Channel{Name: "phone", Events: []string{"accepted", "nonsense"}}, "generic+"+server.URL+"/secret-path", web.Person{}); err != nil {
		t.Fatal(err)
	}
	listed, err := page.Channels(ctx)
	if err != nil || len(listed) != 1 || listed[0].Kind != "generic" || len(listed[0].Events) != 1 || !listed[0].On {
		t.Fatalf("%+v %v", listed, err)
	}
	if err := page.TestChannel(ctx, listed[0].ID); err != nil || <-arrived != "/secret-path" {
		t.Errorf("%v", err)
	}
	if open, err := kept.Channels(ctx); err != nil || len(open) != 1 || !strings.Contains(open[0].Address, "/secret-path") {
		t.Errorf("%+v %v", open, err)
	}
	if sealed, err := db.Secret(ctx, listed[0].ID); err != nil || bytes.Contains(sealed.Sealed, []byte("secret-path")) {
		t.Errorf("%q %v", sealed.Sealed, err)
	}
	if err := page.SetChannel(ctx, listed[0].ID, false, web.Person{}); err != nil {
		t.Error(err)
	}
	if open, err := kept.Channels(ctx); err != nil || len(open) != 0 {
		t.Errorf("switched off: %+v %v", open, err)
	}
	if err := page.DeleteChannel(ctx, listed[0].ID, web.Person{}); err != nil {
		t.Error(err)
	}
	if err := page.TestChannel(ctx, listed[0].ID); app.CodeOf(err) != app.CodeNotFound {
		t.Errorf("%v", err)
	}
}

func TestTheDigestComesInTheEveningOfTheUsersZone(t *testing.T) {
	london, err := time.LoadLocation("Europe/London")
	if err != nil {
		t.Fatal(err)
	}
	for now, want := range map[string]string{
		"2027-06-01T10:00:00Z": "2027-06-01T18:00:00Z", "2027-06-01T18:00:00Z": "2027-06-02T18:00:00Z", "2027-01-31T18:59:59Z": "2027-01-31T19:00:00Z",
		"2027-03-27T20:00:00Z": "2027-03-28T18:00:00Z", // The clocks change in between.
	} {
		at, err := time.Parse(time.RFC3339, now)
		if err != nil {
			t.Fatal(err)
		}
		if got := untilDigest(at, london).UTC().Format(time.RFC3339); got != want {
			t.Errorf("after %s it comes at %s, want %s", now, got, want)
		}
	}
}
