//go:build unix

package storetest_test

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/atozbot/atozbot/store/storetest"
)

func TestARedisCanBeFrozenAndKilledAndIsThereAgain(t *testing.T) {
	server, err := storetest.StartRedis()
	if err != nil {
		storetest.Missing(t, "Redis: "+err.Error())
	}
	t.Cleanup(server.Stop)
	answers := func() bool {
		client := redis.NewClient(&redis.Options{Addr: server.Addr(), MaxRetries: -1, DialTimeout: 3 * time.Second, ReadTimeout: 3 * time.Second})
		defer client.Close()
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		return client.Ping(ctx).Err() == nil
	}
	if !answers() {
		t.Fatal("it does not answer")
	}
	if err := server.Freeze(); err != nil {
		t.Fatal(err)
	}
	if answers() {
		t.Error("it answers while it is frozen")
	}
	if err := server.Thaw(); err != nil {
		t.Fatal(err)
	}
	if !answers() {
		t.Error("it does not answer after the thaw")
	}
	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}
	if answers() {
		t.Error("it answers after it was killed")
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	if !answers() {
		t.Error("it does not answer after the start")
	}
}

func TestAStoppedPostgresLeavesNothingBehind(t *testing.T) {
	server, err := storetest.StartPostgres()
	if err != nil {
		storetest.Missing(t, "PostgreSQL: "+err.Error())
	}
	folder := server.Folder()
	if _, err := os.Stat(folder); err != nil {
		t.Fatal(err)
	}
	server.Stop()
	if _, err := os.Stat(folder); !os.IsNotExist(err) {
		t.Errorf("its folder is still there: %v", err)
	}
}
