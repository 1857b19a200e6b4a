package practice

import "context"

// Until waits until the counts are as wanted, and gives them. Where ctx ends first, it
// gives the counts of that moment and the context's error. What happens by itself
// counts as soon as it happens where [Portal.Start] runs, and else with the next request.
func (p *Portal) Until(ctx context.Context, wanted func(Counts) bool) (Counts, error) {
	for {
		p.mu.Lock()
		p.advance()
		counts, changed := p.counts(), p.changed
		p.mu.Unlock()
		if wanted(counts) {
			return counts, nil
		}
		select {
		case <-ctx.Done():
			return counts, ctx.Err()
		case <-changed:
		}
	}
}

// UntilJob waits until one job's truth is as wanted, as [Portal.Until] does. A job that
// is not listed yet is the zero value.
func (p *Portal) UntilJob(ctx context.Context, number int64, wanted func(JobTruth) bool) (JobTruth, error) {
	for {
		p.mu.Lock()
		p.advance()
		var truth JobTruth
		if j := p.jobs[number]; j != nil && j.state != stateComing {
			truth = j.truth()
		}
		changed := p.changed
		p.mu.Unlock()
		if wanted(truth) {
			return truth, nil
		}
		select {
		case <-ctx.Done():
			return truth, ctx.Err()
		case <-changed:
		}
	}
}
