package portal

// slab hands out values from blocks, which are used again after reset.
type slab[T any] struct {
	blocks [][]T
	block  int
	used   int
}

const slabSize = 512

func (s *slab[T]) next() *T {
	if s.block == len(s.blocks) {
		s.blocks = append(s.blocks, make([]T, slabSize))
	}
	v := &s.blocks[s.block][s.used]
	if s.used++; s.used == slabSize {
		s.block, s.used = s.block+1, 0
	}
	return v
}

func (s *slab[T]) handedOut() int { return s.block*slabSize + s.used }

// reset makes everything that was handed out free again, and keeps no more blocks than
// an ordinary page needs.
func (s *slab[T]) reset() {
	for i := range min(s.block+1, len(s.blocks)) {
		clear(s.blocks[i])
	}
	const most = 32
	if len(s.blocks) > most {
		s.blocks = s.blocks[:most:most]
	}
	s.block, s.used = 0, 0
}
