// test/peers/go-waku/encode/main.go - what bench/encode.cpp measures, with go-waku's own encoder.
//
//	encode BYTES SECONDS    prints {"per_cpu_second":..}
package main

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"syscall"

	"github.com/ethereum/go-ethereum/crypto"
	"github.com/waku-org/go-waku/waku/v2/payload"
	"github.com/waku-org/go-waku/waku/v2/protocol/pb"
	"google.golang.org/protobuf/proto"
)

func must[T any](value T, err error) T {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return value
}

// User and system time of the whole process, its garbage collector included.
func cpuSeconds() float64 {
	var usage syscall.Rusage
	must(0, syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e9
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: encode BYTES SECONDS")
		os.Exit(2)
	}
	plain := bytes.Repeat([]byte{'n'}, must(strconv.Atoi(os.Args[1])))
	seconds := must(strconv.ParseFloat(os.Args[2], 64))
	signer := must(crypto.GenerateKey())
	to := must(crypto.GenerateKey())
	key := &payload.KeyInfo{Kind: payload.Asymmetric, PubKey: to.PublicKey, PrivKey: signer}
	version := uint32(payload.V1Encryption)
	timestamp := int64(1_700_000_000_000_000_000)
	encode := func() {
		sealed := must(payload.Payload{Data: plain, Key: key}.Encode(version))
		timestamp++
		must(proto.Marshal(&pb.WakuMessage{
			Payload: sealed, ContentTopic: "/noroshi/1/alerts/proto", Version: &version, Timestamp: &timestamp,
		}))
	}
	begun, used, count := cpuSeconds(), 0.0, 0
	for used < seconds {
		for i := 0; i < 100; i++ {
			encode()
		}
		count += 100
		used = cpuSeconds() - begun
	}
	fmt.Printf("{\"per_cpu_second\":%.1f}\n", float64(count)/used)
}
