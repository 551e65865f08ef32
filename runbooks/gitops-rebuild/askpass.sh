#!/usr/bin/env bash
# Answers Git's questions for a user and a password from the environment, so that they stand on no command line.
case $1 in
  Username*) printf '%s\n' "$GIT_USER" ;;
  *) printf '%s\n' "$GIT_PASSWORD" ;;
esac
