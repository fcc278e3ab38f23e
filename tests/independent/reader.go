// Reads our formats with golang.org/x/mod/sumdb (note, tlog), which knows nothing of us.
//
// Exit code 0: accepted. 1: refused, with the reason. 2: wrong usage, or something of its own.
package main

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8

var commands = map[string]func([]string) error{
	"signed":      signed,
	"consistency": consistency,
	"log":         wholeLog,
	"witness":     witness,
	"sign":        sign,
}

func main() {
	command := commands[os.Args[1]]
	if err := command(os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "refused:", err)
		os.Exit(1)
	}
}

// signed KEY… < NOTE: every one of the keys signed it.
func signed(keys []string) error {
	content, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	_, err = open(content, keys...)
	return err
}

// consistency KEY OLD NEW PROOF: one checkpoint goes on from the other.
func consistency(args []string) error {
	var trees [2]tlog.Tree
	for place, name := range args[1:3] {
		content, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if trees[place], err = open(content, args[0]); err != nil {
			return err
		}
	}
	text, err := os.ReadFile(args[3])
	if err != nil {
		return err
	}
	var proof tlog.TreeProof
	for _, line := range strings.Fields(string(text)) {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			return err
		}
		proof = append(proof, hash)
	}
	return tlog.CheckTree(proof, trees[1].N, trees[1].Hash, trees[0].N, trees[0].Hash)
}

// log KEY URL: every entry is in the tree that was signed. Prints how many there are.
func wholeLog(args []string) error {
	content, err := get(args[1] + "/checkpoint")
	if err != nil {
		return err
	}
	tree, err := open(content, args[0])
	if err != nil {
		return err
	}
	indexes := make([]int64, tree.N)
	for n := range indexes {
		indexes[n] = tlog.StoredHashIndex(0, int64(n))
	}
	hashes, err := tlog.TileHashReader(tree, tiles(args[1])).ReadHashes(indexes)
	if err != nil {
		return err
	}
	entries, err := entriesOf(args[1], tree.N)
	if err != nil {
		return err
	}
	for n, hash := range hashes {
		if tlog.RecordHash(entries[n]) != hash {
			return fmt.Errorf("entry %d is not the leaf", n)
		}
	}
	fmt.Println(tree.N)
	return nil
}

// witness KEY WITNESS URL ADD_CHECKPOINT OLD: has a witness cosign, and prints the note.
func witness(args []string) error {
	content, err := get(args[2] + "/checkpoint")
	if err != nil {
		return err
	}
	tree, err := open(content, args[0])
	if err != nil {
		return err
	}
	old, err := strconv.ParseInt(args[4], 10, 64)
	if err != nil {
		return err
	}
	var body bytes.Buffer
	fmt.Fprintf(&body, "old %d\n", old)
	if old > 0 {
		proof, err := tlog.ProveTree(tree.N, old, tlog.TileHashReader(tree, tiles(args[2])))
		if err != nil {
			return err
		}
		for _, hash := range proof {
			fmt.Fprintln(&body, hash)
		}
	}
	fmt.Fprintf(&body, "\n%s", content)
	answer, err := http.Post(args[3], "text/plain", &body)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	line, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", answer.Status, line)
	}
	cosigned := append(content, line...)
	if _, err = open(cosigned, args[0], args[1]); err != nil {
		return err
	}
	_, err = os.Stdout.Write(cosigned)
	return err
}

// sign NAME SEED < TEXT: prints the note that the key of a seed signed (base64).
func sign(args []string) error {
	text, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	seed, err := base64.StdEncoding.DecodeString(args[1])
	if err != nil {
		return err
	}
	public := ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey)
	vkey, err := note.NewEd25519VerifierKey(args[0], public)
	if err != nil {
		return err
	}
	id := strings.Split(vkey, "+")[1]
	private := base64.StdEncoding.EncodeToString(append([]byte{1}, seed...))
	signer, err := note.NewSigner("PRIVATE+KEY+" + args[0] + "+" + id + "+" + private)
	if err != nil {
		return err
	}
	content, err := note.Sign(&note.Note{Text: string(text)}, signer)
	if err != nil {
		return err
	}
	_, err = os.Stdout.Write(content)
	return err
}

// open returns the tree of a checkpoint that all of the keys signed.
func open(content []byte, keys ...string) (tlog.Tree, error) {
	var tree tlog.Tree
	var known []note.Verifier
	for _, key := range keys {
		verifier, err := verifierOf(key)
		if err != nil {
			return tree, err
		}
		known = append(known, verifier)
	}
	opened, err := note.Open(content, note.VerifierList(known...))
	if err != nil {
		return tree, err
	}
	if len(opened.Sigs) != len(known) {
		return tree, fmt.Errorf("%d of %d keys signed it", len(opened.Sigs), len(known))
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != known[0].Name() {
		return tree, errors.New("not a checkpoint of this log")
	}
	if tree.N, err = strconv.ParseInt(lines[1], 10, 64); err != nil {
		return tree, err
	}
	tree.Hash, err = tlog.ParseHash(lines[2])
	return tree, err
}

func verifierOf(key string) (note.Verifier, error) {
	parts := strings.SplitN(key, "+", 3)
	if len(parts) != 3 {
		return nil, errors.New("no verifier key")
	}
	material, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil || len(material) != 33 || material[0] != 4 {
		return note.NewVerifier(key)
	}
	hash, err := strconv.ParseUint(parts[1], 16, 32)
	return cosigner{parts[0], uint32(hash), material[1:]}, err
}

// cosigner is a witness: the package leaves kinds of keys but Ed25519's own to its callers.
type cosigner struct {
	name string
	hash uint32
	key  ed25519.PublicKey
}

func (c cosigner) Name() string    { return c.name }
func (c cosigner) KeyHash() uint32 { return c.hash }
func (c cosigner) Verify(text, signature []byte) bool {
	if len(signature) != 8+ed25519.SignatureSize {
		return false
	}
	time := binary.BigEndian.Uint64(signature)
	message := fmt.Sprintf("cosignature/v1\ntime %d\n%s", time, text)
	return ed25519.Verify(c.key, []byte(message), signature[8:])
}

// tiles reads the tiles below an address.
type tiles string

func (address tiles) Height() int                     { return height }
func (address tiles) SaveTiles([]tlog.Tile, [][]byte) {}
func (address tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	var contents [][]byte
	for _, tile := range wanted {
		path := strings.TrimPrefix(tile.Path(), fmt.Sprintf("tile/%d/", height))
		content, err := get(string(address) + "/tile/" + path)
		if err != nil {
			return nil, err
		}
		contents = append(contents, content)
	}
	return contents, nil
}

func entriesOf(address string, size int64) ([][]byte, error) {
	var entries [][]byte
	for number := int64(0); number<<height < size; number++ {
		path := fmt.Sprintf("%s/tile/entries/%03d", address, number)
		if rest := size - number<<height; rest < 1<<height {
			path += fmt.Sprintf(".p/%d", rest)
		}
		bundle, err := get(path)
		if err != nil {
			return nil, err
		}
		for len(bundle) > 2 {
			length := 2 + int(binary.BigEndian.Uint16(bundle))
			entries = append(entries, bundle[2:length])
			bundle = bundle[length:]
		}
	}
	if int64(len(entries)) != size {
		return nil, fmt.Errorf("%d entries of %d", len(entries), size)
	}
	return entries, nil
}

func get(address string) ([]byte, error) {
	answer, err := http.Get(address)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", address, answer.Status)
	}
	return io.ReadAll(answer.Body)
}
