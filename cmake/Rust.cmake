# cmake/Rust.cmake - builds the crate p2p/ with cargo and offers it as the imported target noroshi_p2p.
find_program(NOROSHI_CARGO cargo REQUIRED)

set(rust_target_dir "${CMAKE_BINARY_DIR}/cargo" CACHE PATH "Where cargo builds p2p/; builds may share one folder")
set(rust_crate "${CMAKE_SOURCE_DIR}/p2p")
set(rust_library "${rust_target_dir}/release/libnoroshi_p2p.a")
file(GLOB_RECURSE rust_sources CONFIGURE_DEPENDS "${rust_crate}/src/*.rs" "${rust_crate}/timer/*.rs" "${rust_crate}/timer/Cargo.toml")

# Flags of the C++ build (sanitizers above all) would leak into the C code that build scripts of crates compile.
add_custom_command(
  OUTPUT "${rust_library}"
  COMMAND "${CMAKE_COMMAND}" -E env --unset=CFLAGS --unset=CXXFLAGS --unset=LDFLAGS --unset=RUSTFLAGS
          "CARGO_TARGET_DIR=${rust_target_dir}"
          "${NOROSHI_CARGO}" build --locked --release --quiet --manifest-path "${rust_crate}/Cargo.toml"
  # cargo leaves a library that is up to date untouched, and ninja would then ask again at each build.
  COMMAND "${CMAKE_COMMAND}" -E touch "${rust_library}"
  DEPENDS ${rust_sources} "${rust_crate}/Cargo.toml" "${rust_crate}/Cargo.lock" "${rust_crate}/include/noroshi_p2p.h"
          "${rust_crate}/include/noroshi_words.h"
  COMMENT "cargo build p2p (minutes when cold)"
  USES_TERMINAL VERBATIM)
add_custom_target(noroshi_p2p_build DEPENDS "${rust_library}")

add_library(noroshi_p2p STATIC IMPORTED GLOBAL)
set_target_properties(noroshi_p2p PROPERTIES
  IMPORTED_LOCATION "${rust_library}"
  INTERFACE_INCLUDE_DIRECTORIES "${rust_crate}/include"
  INTERFACE_LINK_LIBRARIES "pthread;dl;m;gcc_s")
add_dependencies(noroshi_p2p noroshi_p2p_build)
