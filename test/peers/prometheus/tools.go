// test/peers/prometheus/tools.go - keeps Prometheus's programs in this module's requirements.

//go:build tools

package tools

import (
	_ "github.com/prometheus/prometheus/cmd/prometheus"
	_ "github.com/prometheus/prometheus/cmd/promtool"
)
