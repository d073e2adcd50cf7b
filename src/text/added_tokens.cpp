#include "text/added_tokens.h"

#include <algorithm>

#include "text/unicode.h"

namespace t2v {
namespace {

std::vector<std::string_view> contents(const std::vector<AddedToken>& tokens) {
  std::vector<std::string_view> list;
  list.reserve(tokens.size());
  for (const AddedToken& token : tokens) list.push_back(token.content);
  return list;
}

bool touches_word(std::string_view before, std::string_view after) {
  return (!before.empty() && is_word_character(last_code_point(before).value)) ||
         (!after.empty() && is_word_character(first_code_point(after).value));
}

size_t trailing_space(std::string_view text) {
  size_t size = 0;
  while (size < text.size()) {
    const CodePoint last = last_code_point(text.substr(0, text.size() - size));
    if (!is_white_space(last.value)) break;
    size += last.size;
  }
  return size;
}

size_t leading_space(std::string_view text) {
  size_t size = 0;
  while (size < text.size()) {
    const CodePoint first = first_code_point(text.substr(size));
    if (!is_white_space(first.value)) break;
    size += first.size;
  }
  return size;
}

}  // namespace

AddedTokens::AddedTokens(std::vector<AddedToken> tokens)
    : tokens_(std::move(tokens)), trie_(contents(tokens_)) {}

void AddedTokens::split(std::string_view text, const Visit& visit) const {
  size_t done = 0;
  for (size_t at = 0; at < text.size();) {
    size_t length = 0;
    uint32_t index = Trie::kNone;
    trie_.for_each_prefix(text.substr(at), [&](size_t prefix, uint32_t found) {
      length = prefix;
      index = found;
    });
    if (length == 0) {
      ++at;
      continue;
    }
    const AddedToken& token = tokens_[index];
    size_t start = at;
    size_t end = at + length;
    at = end;
    if (token.single_word && touches_word(text.substr(0, start), text.substr(end))) continue;
    if (token.lstrip) start = std::max(start - trailing_space(text.substr(0, start)), done);
    if (token.rstrip) end += leading_space(text.substr(end));
    if (done < start) visit(text.substr(done, start - done), nullptr);
    visit(text.substr(start, end - start), &token);
    done = end;
  }
  if (done < text.size()) visit(text.substr(done), nullptr);
}

}  // namespace t2v
