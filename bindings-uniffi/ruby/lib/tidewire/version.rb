# frozen_string_literal: true

module Tidewire
  # That of the workspace; `cargo xtask ruby` refuses another one.
  VERSION = '0.1.0'
end
