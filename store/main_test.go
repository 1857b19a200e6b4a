package store_test

import (
	"os"
	"testing"

	"github.com/atozbot/atozbot/store/storetest"
)

func TestMain(m *testing.M) { os.Exit(storetest.Main(m)) }
