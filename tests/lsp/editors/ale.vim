" Vim with ALE: diagnostics arrive, the preferred fix is applied by the user's command, the file is saved.
" CONFIG is what the documentation has a user write, FILE the file.
set nocompatible hidden
filetype plugin on
function! s:End(code, message) abort
  call writefile([a:message], '/dev/stderr', 'a')
  execute a:code ? 'cquit ' . a:code : 'qall!'
endfunction
function! s:Wanted(what, F) abort
  for l:i in range(1200)
    if a:F() | return | endif
    sleep 50m
  endfor
  call s:End(1, 'timed out: ' . a:what)
endfunction
let g:ale_lint_delay = 50
packadd! ale
runtime plugin/ale.vim
let s:config = tempname()
call writefile(split($CONFIG, "\n"), s:config)
execute 'source ' . s:config
execute 'edit ' . fnameescape($FILE)
call ale#Queue(0)
call s:Wanted('2 diagnostics', {-> len(ale#engine#GetLoclist(bufnr(''))) == 2})
let s:found = ale#engine#GetLoclist(bufnr(''))[1]
if s:found.lnum != 13 || s:found.type !=# 'W' | call s:End(1, string(s:found)) | endif
call cursor(s:found.lnum, s:found.col)
" The user's command; its menu is ale#util#Input, and the preferred fix is the first.
runtime autoload/ale/util.vim
function! ale#util#Input(message, value) abort
  return '1'
endfunction
ALECodeAction
call s:Wanted('the fix', {-> search('self.bn2 = ', 'nw') > 0})
call ale#Queue(0)
call s:Wanted('nothing is found any more', {-> empty(ale#engine#GetLoclist(bufnr('')))})
silent write
call s:End(0, '')
