# Types each line of a file into an interactive zsh, presses Tab, and prints the line that results.
# Arguments: the completion script, the file of lines, a folder for temporary files.
zmodload zsh/zpty
script=$1 lines=$2 folder=$3

zpty shell zsh -f -i
# Prints a marker when it is ready, so that nothing is typed too early.
await() {
  local text
  zpty -r -m shell text "*$1*" || exit 1
}
zpty -w shell "PS1=; autoload -Uz compinit; compinit -u -d $folder/dump; source $script"
zpty -w shell "result() { print -r -- \"\$BUFFER\" > $folder/result; BUFFER=; zle redisplay; print -n done-\$\$ }"
zpty -w shell "zle -N result; bindkey '^I' complete-word '^X' result; setopt no_beep; print ready-\$((6 * 7))"
await ready-42
while IFS= read -r line; do
  : > $folder/result
  zpty -w -n shell "$line"$'\t'$'\x18'
  await done-
  cat $folder/result
done < $lines
zpty -d shell
