package practice

import (
	"math/rand/v2"
	"time"
)

// mix spreads the bits of its arguments over all of the result (splitmix64's finisher),
// so that neighbouring jobs of neighbouring seeds have nothing in common.
func mix(seed uint64, what string, n int64) uint64 {
	h := seed ^ 0x9e3779b97f4a7c15
	for i := range len(what) {
		h = (h ^ uint64(what[i])) * 0x100000001b3
	}
	h += uint64(n) * 0x9e3779b97f4a7c15
	h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
	h = (h ^ h>>27) * 0x94d049bb133111eb
	return h ^ h>>31
}

// chance draws a number from 0 up to 1, always the same for the same arguments.
func chance(seed uint64, what string, n int64) float64 {
	return float64(mix(seed, what, n)>>11) / (1 << 53)
}

// spread draws a duration of mean ± jitter, never below zero.
func spread(mean, jitter time.Duration, seed uint64, what string, n int64) time.Duration {
	if jitter <= 0 {
		return max(mean, 0)
	}
	return max(mean+time.Duration((2*chance(seed, what, n)-1)*float64(jitter)), 0)
}

// dice is a source for generators, which draw many numbers in a fixed order.
func dice(seed uint64, what string, n int64) *rand.Rand {
	return rand.New(rand.NewPCG(seed, mix(seed, what, n)))
}

// pick gives one of the list.
func pick[T any](r *rand.Rand, list []T) T { return list[r.IntN(len(list))] }
