-- Headless Neovim, 0.7 and newer: diagnostics arrive, the preferred fix is applied, the buffer is saved.
-- SERVER is the command as a JSON list, FILE the file. CONFIG, where given, is what the documentation has a user write: then it
-- starts the server, and nothing here does.
local ok, err = xpcall(function()
  local cmd = vim.fn.json_decode(os.getenv("SERVER"))
  local file = vim.fn.fnamemodify(os.getenv("FILE"), ":p")
  local function want(f, what) assert(vim.wait(60000, f, 20), "timed out: " .. what) end
  if os.getenv("CONFIG") then
    vim.cmd("filetype on")
    assert((loadstring or load)(os.getenv("CONFIG")))()
  end
  vim.cmd("edit " .. vim.fn.fnameescape(file))
  local buf = vim.api.nvim_get_current_buf()
  local capabilities = vim.lsp.protocol.make_client_capabilities()
  if os.getenv("ENCODING") == "utf-8" then capabilities.general = { positionEncodings = { "utf-8" } } end
  local conf = {
    name = "nnreuse", cmd = cmd, root_dir = vim.fn.fnamemodify(file, ":h"), capabilities = capabilities,
    offset_encoding = os.getenv("ENCODING"),
  }
  if not os.getenv("CONFIG") then
    local id = vim.lsp.start and vim.lsp.start(conf) or vim.lsp.start_client(conf)
    if not vim.lsp.start then vim.lsp.buf_attach_client(buf, id) end
  end
  want(function() return #vim.diagnostic.get(buf) == 2 end, "2 diagnostics")
  for _, d in ipairs(vim.diagnostic.get(buf)) do
    local line = vim.api.nvim_buf_get_lines(buf, d.lnum, d.lnum + 1, true)[1]
    assert(line:sub(d.col + 1, d.end_col) == "self.bn", line:sub(d.col + 1, d.end_col))
  end
  local d = vim.diagnostic.get(buf)[1]
  vim.api.nvim_win_set_cursor(0, { d.lnum + 1, d.col })
  local titles
  vim.ui.select = function(items, opts, on_choice)
    titles = vim.tbl_map(opts.format_item or tostring, items)
    on_choice(items[1], 1)
  end
  vim.lsp.buf.code_action()
  want(function() return #vim.diagnostic.get(buf) == 0 end, "the fix is applied and nothing is found any more")
  assert(titles[1]:find("Split `self.bn` into `bn`, `bn2`", 1, true), vim.inspect(titles))
  vim.cmd("silent write")
end, debug.traceback)
if not ok then io.stdout:write(tostring(err) .. "\n"); vim.cmd("cquit 1") end
vim.cmd("qall!")
