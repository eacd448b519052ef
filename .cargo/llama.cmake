# Laid over llama.cpp's own CMake project (CMAKE_PROJECT_INCLUDE in config.toml): of its common library the worker uses
# schemas as grammars and nothing else, while chat templates, argument parsers and downloads took half of all its
# compiling. What only builds graphs and reads files is optimised less than the kernels, which stay as they are.
if(PROJECT_NAME STREQUAL "llama.cpp")
  function(longhand_compile_what_is_used)
    target_compile_options(llama PRIVATE -O1)
    set_target_properties(llama PROPERTIES UNITY_BUILD_BATCH_SIZE 40)
    target_compile_options(llama-common PRIVATE -O0)
    set_target_properties(llama-common PROPERTIES
      SOURCES "common.cpp;json-schema-to-grammar.cpp;json-schema.cpp;json.cpp;log.cpp;trie.cpp;unicode.cpp")
    get_target_property(libraries llama-common LINK_LIBRARIES)
    list(REMOVE_ITEM libraries cpp-httplib)
    set_target_properties(llama-common PROPERTIES LINK_LIBRARIES "${libraries}")
    set_target_properties(cpp-httplib PROPERTIES EXCLUDE_FROM_ALL TRUE)
  endfunction()
  cmake_language(DEFER DIRECTORY ${CMAKE_SOURCE_DIR} CALL longhand_compile_what_is_used)
endif()
