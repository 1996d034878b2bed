#!/bin/sh
# Makes the programs anew: apt-get install clang lld wasi-libc libclang-rt-14-dev-wasm32
cd "$(dirname "$0")" || exit 1
for name in look render check merge; do
    clang-14 --target=wasm32-wasi -O3 -ffp-contract=off -Wall -Wextra -Werror -s -o "../job/$name.wasm" "$name.c" || exit 1
done
