# bash completion for dursor (made by: dursor --show-completion bash)
_dursor_completion() {
    local IFS=$'\n' candidate
    COMPREPLY=()
    while read -r candidate; do
        COMPREPLY+=("$candidate")
    done < <(COMP_WORDS="${COMP_WORDS[*]:0:COMP_CWORD+1}" COMP_CWORD=$COMP_CWORD \
        _DURSOR_COMPLETE=complete_bash "$1" 2>/dev/null </dev/null)
    if [[ ${COMPREPLY[0]} == "<files>" ]]; then
        COMPREPLY=()
        compopt -o default 2>/dev/null ||
            COMPREPLY=($(compgen -f -- "${COMP_WORDS[COMP_CWORD]#=}"))
    fi
}
complete -F _dursor_completion dursor
