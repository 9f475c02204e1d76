// test/peers/victoriametrics/tools.go - keeps VictoriaMetrics's program in this module's requirements.

//go:build tools

package tools

import _ "github.com/VictoriaMetrics/VictoriaMetrics/app/victoria-metrics"
