package daemon

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/atozbot/atozbot/app/config"
	"github.com/atozbot/atozbot/app/portal/practice"
)

// PracticePortal runs the practice portal alone until the context ends. The scenario is
// a file, or "" for an ordinary busy day.
func (p Process) PracticePortal(ctx context.Context, addr, scenario string) error {
	var listen config.Listen
	if err := listen.Parse(addr); err != nil {
		return fmt.Errorf("--addr: %w; %w", err, ErrMisused)
	}
	day := practice.Demo(time.Now())
	if scenario != "" {
		file, err := os.Open(scenario)
		if err != nil {
			return fmt.Errorf("--scenario: %w; %w", err, ErrMisused)
		}
		defer file.Close()
		if day, err = practice.Load(file); err != nil {
			return fmt.Errorf("--scenario: %w; %w", err, ErrMisused)
		}
	}
	return practice.Serve(ctx, string(listen), day, p.log())
}
