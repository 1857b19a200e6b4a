// Package static holds what the dashboard's pages load: style sheets, modules, icons.
//
// It stands beside the one way through the house: web serves these files, compressed
// and under the hash of their content. The style sheets are joined in the order of their
// names; symbols are the icons that are drawn into the pages themselves.
package static

import "embed"

// FS holds the files.
//
//go:embed css js icons symbols
var FS embed.FS
