# fish completion for dursor (made by: dursor --show-completion fish)
function __dursor_complete
    set -lx COMP_LINE (commandline -cp | string collect)
    set -lx _DURSOR_COMPLETE complete_fish
    set -l candidates (dursor 2>/dev/null </dev/null)
    if test "$candidates[1]" = '<files>'
        set -l token (commandline -ct)
        set -l option (string match -r '^--[^=]*=' -- $token)
        __fish_complete_path (string replace -- "$option" '' $token) |
            string replace -r '^' -- "$option"
    else if test (count $candidates) -gt 0
        printf '%s\n' $candidates
    end
end
complete --command dursor --no-files --keep-order --arguments '(__dursor_complete)'
