# The words that the folders' CMakeLists are written in. A folder lists its files and what it builds
# on; everything else (warnings, sanitizers, include roots) is said once, here.

add_library(limpet_options INTERFACE)
target_compile_features(limpet_options INTERFACE cxx_std_20 c_std_11)
target_include_directories(limpet_options INTERFACE ${PROJECT_SOURCE_DIR}/runtime
                                                    ${PROJECT_SOURCE_DIR})
target_compile_options(limpet_options INTERFACE -fvisibility=hidden -ffunction-sections
                                                -fdata-sections)
target_link_options(limpet_options INTERFACE -Wl,--gc-sections -Wl,--as-needed)
# 64-bit file offsets and times on 32-bit ARM: stores over 2 GiB and the year 2038 both come.
target_compile_definitions(limpet_options INTERFACE _FILE_OFFSET_BITS=64)
# Relative relocations packed: 60 KB less of them in limpet. Every loader since glibc 2.36 takes it.
include(CheckLinkerFlag)
check_linker_flag(CXX -Wl,-z,pack-relative-relocs LIMPET_PACK_RELOCATIONS)
if(LIMPET_PACK_RELOCATIONS)
  target_link_options(limpet_options INTERFACE $<$<CONFIG:Release>:-Wl,-z,pack-relative-relocs>)
endif()
if(CMAKE_SIZEOF_VOID_P EQUAL 4)
  target_compile_definitions(limpet_options INTERFACE _TIME_BITS=64)
endif()

if(LIMPET_WERROR)
  target_compile_options(limpet_options INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wshadow
                                                  -Werror)
  if(CMAKE_CXX_COMPILER_ID MATCHES Clang)
    target_compile_options(limpet_options INTERFACE -Wthread-safety)
  endif()
endif()
if(LIMPET_SANITIZE)
  target_compile_options(limpet_options INTERFACE -fsanitize=${LIMPET_SANITIZE}
                                                  -fno-sanitize-recover=all
                                                  -fno-omit-frame-pointer)
  target_link_options(limpet_options INTERFACE -fsanitize=${LIMPET_SANITIZE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
    # Warnings that follow values through a function are misled by the checks woven into it. tsan:
    # a fence is not modelled; Asio has some, each beside a mutex that is.
    target_compile_options(limpet_options INTERFACE -Wno-maybe-uninitialized -Wno-array-bounds
                                                    -Wno-stringop-overflow -Wno-restrict
                                                    -Wno-tsan)
  endif()
endif()
if(LIMPET_CRASH_POINTS)
  target_compile_definitions(limpet_options INTERFACE LIMPET_CRASH_POINTS=1)
endif()

# limpet_library(name [COLD] [SOURCES a.cpp ...] [COLD_SOURCES b.cpp ...] [USES limpet_base ...]
#                [PRIVATE third_party ...])
# A static library of one folder: what it USES is part of its headers, PRIVATE stays in its .cpp.
# COLD, all of it or some: it runs at start or at the pace of people, so a release builds it for
# size.
function(limpet_library name)
  cmake_parse_arguments(arg "COLD" "" "SOURCES;COLD_SOURCES;USES;PRIVATE" ${ARGN})
  add_library(${name} STATIC ${arg_SOURCES} ${arg_COLD_SOURCES})
  if(arg_COLD_SOURCES)
    set_source_files_properties(${arg_COLD_SOURCES} PROPERTIES COMPILE_OPTIONS
                                $<$<CONFIG:Release>:-Os>)
  endif()
  set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE ON)
  target_link_libraries(${name} PUBLIC limpet_options ${arg_USES} PRIVATE ${arg_PRIVATE})
  if(arg_COLD)
    target_compile_options(${name} PRIVATE $<$<CONFIG:Release>:-Os>)
  endif()
endfunction()

# limpet_test(name LABELS unit SOURCES a_test.cpp [USES limpet_store ...] [TIMEOUT seconds])
# One doctest program and its ctest entry; it shares one compiled main().
function(limpet_test name)
  cmake_parse_arguments(arg "" "TIMEOUT" "SOURCES;USES;LABELS" ${ARGN})
  if(NOT LIMPET_BUILD_TESTS)
    return()
  endif()
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE limpet_test_main limpet_options ${arg_USES})
  # What is tested keeps its optimisation. The tests' own code, mostly macros, compiles in half the
  # time without.
  target_compile_options(${name} PRIVATE $<IF:$<CONFIG:Debug>,-O0,-O1>)
  add_test(NAME ${name} COMMAND ${name})
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  set_tests_properties(${name} PROPERTIES LABELS "${arg_LABELS}" TIMEOUT ${arg_TIMEOUT})
endfunction()

# limpet_fuzz(name SOURCES a_fuzz.cpp [USES limpet_codec ...] [CORPUS folder])
# A libFuzzer program where LIMPET_BUILD_FUZZ is on. Elsewhere the same entry point runs once over
# the committed corpus, so that an input which once broke something stays a test everywhere.
function(limpet_fuzz name)
  cmake_parse_arguments(arg "" "CORPUS" "SOURCES;USES" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE limpet_options ${arg_USES})
  if(LIMPET_BUILD_FUZZ)
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
    set_property(GLOBAL APPEND PROPERTY LIMPET_FUZZ_TARGETS ${name})
    return()
  endif()
  target_sources(${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests/support/fuzz_replay_main.cpp)
  add_test(NAME ${name} COMMAND ${name} ${CMAKE_CURRENT_SOURCE_DIR}/${arg_CORPUS})
  set_tests_properties(${name} PROPERTIES LABELS fuzz TIMEOUT 120)
endfunction()

# limpet_fuzz_list(): the fuzz targets, one a line, in fuzz_targets.txt for `./dev fuzz`.
function(limpet_fuzz_list)
  get_property(targets GLOBAL PROPERTY LIMPET_FUZZ_TARGETS)
  string(REPLACE ";" "\n" targets "${targets}")
  file(WRITE ${PROJECT_BINARY_DIR}/fuzz_targets.txt "${targets}\n")
endfunction()

# limpet_summary(): what was configured, in the last lines that a person reads.
function(limpet_summary)
  string(TOUPPER "${CMAKE_BUILD_TYPE}" type)
  set(features "")
  foreach(option BUILD_TESTS BUILD_FUZZ WERROR CRASH_POINTS)
    if(LIMPET_${option})
      list(APPEND features ${option})
    endif()
  endforeach()
  string(REPLACE ";" ", " features "${features}")
  string(TOLOWER "${features}" features)
  message(STATUS "Limpet ${PROJECT_VERSION} for ${CMAKE_SYSTEM_PROCESSOR}")
  message(STATUS "  compiler    ${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}, "
                 "${CMAKE_BUILD_TYPE} ${CMAKE_CXX_FLAGS_${type}}")
  message(STATUS "  on          ${features}")
  if(LIMPET_SANITIZE)
    message(STATUS "  sanitizers  ${LIMPET_SANITIZE}")
  endif()
  if(CMAKE_SYSROOT)
    message(STATUS "  sysroot     ${CMAKE_SYSROOT}")
  endif()
  if(CMAKE_CXX_COMPILER_LAUNCHER)
    message(STATUS "  launcher    ${CMAKE_CXX_COMPILER_LAUNCHER}")
  endif()
endfunction()
