# bash completion for dursor (made by: dursor --show-completion bash)
_dursor_completion() {
    local IFS=$'\n' candidate
    COMPREPLY=()
    while read -r candidate; do
        COMPREPLY+=("$candidate")
    done < <(COMP_WORDS="${COMP_WORDS[*]}" COMP_CWORD=$COMP_CWORD \
        _DURSOR_COMPLETE=complete_bash "$1" 2>/dev/null </dev/null)
}
complete -o default -F _dursor_completion dursor
