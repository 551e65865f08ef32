#!/usr/bin/env bash
# Finds the pinned commit in the first of several repositories that has it on its branch, and tells which one:
#
#     {"url": "https://…", "behind": 2, "declaredUntil": "2026-11-21T02:20:28Z"}
#
# `declaredUntil` is the recovery point of the declared state: when the first commit after the pinned one was made, which a
# rebuild to the pinned one will lack; or now, when there is none. By the environment: REPOSITORY, MIRROR (may be empty),
# BRANCH, COMMIT, ALLOWED_SIGNERS (a file as `ssh-keygen` has it; empty: signatures are not looked at), GIT_USER, GIT_PASSWORD.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
export GIT_ASKPASS=$here/askpass.sh GIT_TERMINAL_PROMPT=0

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
git init --quiet --bare "$work/git"
in_work() { git -C "$work/git" "$@"; }

for url in "$REPOSITORY" "$MIRROR"; do
  test -n "$url" || continue
  echo "looks for $COMMIT in $url" >&2
  if ! in_work fetch --quiet --no-tags --filter=blob:none "$url" "+refs/heads/$BRANCH:refs/heads/found"; then
    echo "$url: the branch $BRANCH cannot be fetched" >&2
    continue
  fi
  # By the branch and not by its hash alone: a fork's commit can be fetched by its hash from many servers.
  if ! in_work merge-base --is-ancestor "$COMMIT" refs/heads/found; then
    echo "$url: $COMMIT is not on $BRANCH" >&2
    continue
  fi
  if test -n "$ALLOWED_SIGNERS"; then
    in_work -c gpg.format=ssh -c gpg.ssh.allowedSignersFile="$(realpath "$ALLOWED_SIGNERS")" verify-commit "$COMMIT"
  fi
  in_work rev-list --reverse --ancestry-path "$COMMIT..refs/heads/found" > "$work/after"
  behind=$(wc -l < "$work/after")
  until=$(date -u +%Y-%m-%dT%H:%M:%SZ)
  if read -r next < "$work/after"; then
    until=$(in_work show --no-patch --format=%cI "$next")
  fi
  printf '{"url": "%s", "behind": %d, "declaredUntil": "%s"}\n' "$url" "$behind" "$until"
  exit 0
done
echo "no repository has $COMMIT on $BRANCH" >&2
exit 1
