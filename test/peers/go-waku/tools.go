// test/peers/go-waku/tools.go - keeps go-waku's program in this module's requirements.

//go:build tools

package tools

import _ "github.com/waku-org/go-waku/cmd/waku"
