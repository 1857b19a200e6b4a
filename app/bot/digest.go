package bot

import (
	"fmt"
	"time"
)

// digest counts for the summaries in the dashboard's log.
type digest struct {
	accepted, lost int
	rejected, left int
	acceptedAt     time.Time // When the last summary of each kind was written.
	rejectedAt     time.Time
}

// report writes the summaries that are due, where anything has happened.
func (r *run) report() {
	now, d := time.Now(), &r.digest
	if d.acceptedAt.IsZero() {
		d.acceptedAt, d.rejectedAt = now, now
	}
	if every := seconds(r.config.ResultsReportIntervalSeconds); now.Sub(d.acceptedAt) >= every {
		if r.config.EnableResultsReporting && d.accepted+d.lost > 0 {
			r.note(levelInfo, fmt.Sprintf("In the last %s: %d accepted, %d tried in vain.", now.Sub(d.acceptedAt).Round(time.Second), d.accepted, d.lost))
		}
		d.accepted, d.lost, d.acceptedAt = 0, 0, now
	}
	if every := seconds(r.config.RejectedReportIntervalSeconds); now.Sub(d.rejectedAt) >= every {
		if r.config.EnableRejectedReporting && d.rejected+d.left > 0 {
			r.note(levelInfo, fmt.Sprintf("In the last %s: %d rejected, %d left alone.", now.Sub(d.rejectedAt).Round(time.Second), d.rejected, d.left))
		}
		d.rejected, d.left, d.rejectedAt = 0, 0, now
	}
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
