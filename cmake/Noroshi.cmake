# cmake/Noroshi.cmake - compiler rules and the few functions with which every folder declares itself.

if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang" OR CMAKE_CXX_COMPILER_VERSION VERSION_LESS 19)
  message(FATAL_ERROR
    "noroshi needs clang 19 or newer (found ${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}).\n"
    "g++ 12 compiles common coroutine code into double frees without a warning; see docs/decisions/001-compiler.md.\n"
    "Use `make build`, or configure with one of the presets: cmake --preset dev")
endif()

option(NOROSHI_TESTS "Build the unit tests" OFF)
option(NOROSHI_FUZZ "Build the libFuzzer targets" OFF)
option(NOROSHI_PROGRAM "Build the program (needs cargo for the Rust crate p2p/)" ON)
set(NOROSHI_SANITIZE "" CACHE STRING "Sanitizers for the C++ code, e.g. address,undefined")

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_LINK_WHAT_YOU_USE OFF)

find_program(NOROSHI_CCACHE ccache)
if(NOROSHI_CCACHE)
  # Paths are made relative and the precompiled header is compared by content, so that a fresh clone hits the cache.
  set(launcher ${CMAKE_COMMAND} -E env "CCACHE_BASEDIR=${CMAKE_SOURCE_DIR}" CCACHE_NOHASHDIR=1
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${NOROSHI_CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${launcher})
endif()

find_package(Threads REQUIRED)
find_package(Boost 1.81 CONFIG REQUIRED)
find_package(fmt REQUIRED)
find_package(tl-expected REQUIRED)
find_package(PkgConfig REQUIRED)

add_library(noroshi_flags INTERFACE)
target_compile_options(noroshi_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wthread-safety -Wimplicit-fallthrough
  -Wno-deprecated-declarations  # std::stable_sort of libstdc++ 12 under clang
  -pthread -fPIC  # the same for programs and libraries, or the precompiled header is refused
  -fstack-protector-strong -fcf-protection -ffunction-sections -fdata-sections
  $<$<CONFIG:Release>:-D_FORTIFY_SOURCE=2>
  "-ffile-prefix-map=${CMAKE_SOURCE_DIR}/=")
target_compile_definitions(noroshi_flags INTERFACE
  _GLIBCXX_ASSERTIONS BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION
  BOOST_ASIO_HAS_CO_AWAIT BOOST_ALLOW_DEPRECATED_HEADERS)
target_link_options(noroshi_flags INTERFACE -fuse-ld=mold -Wl,--gc-sections -Wl,-z,relro,-z,now -pie)
if(NOROSHI_SANITIZE)
  target_compile_options(noroshi_flags INTERFACE
    -fsanitize=${NOROSHI_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(noroshi_flags INTERFACE -fsanitize=${NOROSHI_SANITIZE})
endif()
if(NOROSHI_FUZZ)
  target_compile_options(noroshi_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
target_link_libraries(noroshi_flags INTERFACE Threads::Threads fmt::fmt tl::expected Boost::headers)

# Heavy files (Asio and Beast templates) one at a time: each needs over a gigabyte under the sanitizers.
set_property(GLOBAL PROPERTY JOB_POOLS heavy=1)

# noroshi_library(<folder> PUBLIC <headers> SOURCES <files> DEPS <folders> LIBS <libraries>)
# One static library for src/<folder>. Only the headers under PUBLIC can be included from another folder, as
# "<folder>/<header>": they are linked into a folder of their own, which alone is on the include path of those that
# depend on it. Own private headers are included by their bare name.
function(noroshi_library folder)
  cmake_parse_arguments(ARG "" "" "PUBLIC;SOURCES;DEPS;LIBS" ${ARGN})
  set(target noroshi_${folder})
  set(exposed "${CMAKE_BINARY_DIR}/headers/${folder}")
  file(REMOVE_RECURSE "${exposed}")
  foreach(header IN LISTS ARG_PUBLIC)
    get_filename_component(sub "${header}" DIRECTORY)
    file(MAKE_DIRECTORY "${exposed}/${folder}/${sub}")
    file(CREATE_LINK "${CMAKE_CURRENT_SOURCE_DIR}/${header}" "${exposed}/${folder}/${header}" SYMBOLIC)
  endforeach()
  add_library(${target} STATIC ${ARG_SOURCES})
  target_include_directories(${target} PUBLIC "${exposed}" PRIVATE "${CMAKE_CURRENT_SOURCE_DIR}")
  list(TRANSFORM ARG_DEPS PREPEND noroshi_)
  target_link_libraries(${target} PUBLIC noroshi_flags ${ARG_DEPS} PRIVATE ${ARG_LIBS})
  noroshi_precompile(${target})
endfunction()

# One precompiled header, of the standard library and the vocabulary libraries only, shared by all.
function(noroshi_precompile target)
  if(NOT TARGET noroshi_pch)
    file(WRITE "${CMAKE_BINARY_DIR}/pch.cpp.tmp" "")
    configure_file("${CMAKE_BINARY_DIR}/pch.cpp.tmp" "${CMAKE_BINARY_DIR}/pch.cpp" COPYONLY)
    add_library(noroshi_pch OBJECT "${CMAKE_BINARY_DIR}/pch.cpp")
    target_link_libraries(noroshi_pch PRIVATE noroshi_flags)
    target_compile_options(noroshi_pch PRIVATE -Xclang -fno-pch-timestamp)
    target_precompile_headers(noroshi_pch PRIVATE
      <string> <string_view> <vector> <map> <chrono> <span> <memory> <optional> <functional> <cstdint>
      <fmt/format.h> <tl/expected.hpp> <boost/asio/awaitable.hpp>)
  endif()
  target_compile_options(${target} PRIVATE -Xclang -fno-pch-timestamp)
  target_precompile_headers(${target} REUSE_FROM noroshi_pch)
endfunction()

# unit_<folder> for each folder of test/unit; tests may see the private headers of the folder they test, as "<folder>/x.hpp".
function(noroshi_unit_tests)
  find_package(GTest REQUIRED)
  include(GoogleTest)
  file(GLOB folders CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/test/unit/*")
  foreach(path IN LISTS folders)
    get_filename_component(folder "${path}" NAME)
    file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${path}/*.cpp")
    if(NOT sources OR NOT TARGET noroshi_${folder})
      continue()
    endif()
    add_executable(unit_${folder} ${sources})
    target_include_directories(unit_${folder} PRIVATE "${CMAKE_SOURCE_DIR}/src" "${CMAKE_SOURCE_DIR}/src/${folder}"
                               "${CMAKE_SOURCE_DIR}/test/support")
    target_compile_definitions(unit_${folder} PRIVATE NOROSHI_TEST_DATA="${path}/testdata")
    target_link_libraries(unit_${folder} PRIVATE noroshi_${folder} GTest::gmock GTest::gtest GTest::gtest_main)
    noroshi_precompile(unit_${folder})
    set_property(GLOBAL APPEND PROPERTY NOROSHI_UNIT_TARGETS unit_${folder})
  endforeach()
  get_property(all GLOBAL PROPERTY NOROSHI_UNIT_TARGETS)
  add_custom_target(unit_tests DEPENDS ${all})
endfunction()

# fuzz_<folder>_<what> for each test/fuzz/<folder>_<what>_fuzz.cpp
function(noroshi_fuzz_targets)
  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/test/fuzz/*_fuzz.cpp")
  foreach(source IN LISTS sources)
    get_filename_component(name "${source}" NAME_WE)
    string(REGEX REPLACE "_fuzz$" "" name "${name}")
    string(REGEX MATCH "^[a-z0-9]+" folder "${name}")
    add_executable(fuzz_${name} "${source}")
    target_include_directories(fuzz_${name} PRIVATE "${CMAKE_SOURCE_DIR}/src" "${CMAKE_SOURCE_DIR}/src/${folder}")
    target_link_libraries(fuzz_${name} PRIVATE noroshi_${folder})
    target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
    noroshi_precompile(fuzz_${name})
    set_property(GLOBAL APPEND PROPERTY NOROSHI_FUZZ_TARGETS fuzz_${name})
  endforeach()
  get_property(all GLOBAL PROPERTY NOROSHI_FUZZ_TARGETS)
  add_custom_target(fuzz_targets DEPENDS ${all})
endfunction()
