#include "files/hub/http.h"

#include <exception>
#include <utility>

#include <curl/curl.h>

#include "t2v/error.h"
#include "t2v/run.h"

namespace t2v {
namespace {

constexpr long kMostRedirects = 10;

Error network_error(const std::string& url, const std::string& got, const std::string& expected,
                    const std::string& advice) {
  return Error(
      ErrorCode::kNetwork,
      {.doing = "downloading " + shown_url(url), .got = got, .expected = expected, .advice = advice});
}

bool is_transient(long status) { return status == 408 || status == 416 || status == 429 || status >= 500; }

/// Errors of libcurl that stay as they are however often one tries.
bool is_final(CURLcode code) {
  return code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_URL_MALFORMAT || code == CURLE_LOGIN_DENIED ||
         code == CURLE_TOO_MANY_REDIRECTS || code == CURLE_PEER_FAILED_VERIFICATION ||
         code == CURLE_SSL_CACERT_BADFILE || code == CURLE_OUT_OF_MEMORY;
}

}  // namespace

std::string shown_url(const std::string& url) { return url.substr(0, url.find('?')); }

/// One request and its callbacks, which libcurl calls. An exception may not cross libcurl.
struct HttpClient::Transfer {
  void* curl;
  const OnHead& on_head;
  const OnBody& on_body;
  const std::atomic<bool>* stop;
  bool told_head = false;
  std::exception_ptr thrown = nullptr;

  template <typename Value>
  Value info(CURLINFO which) const {
    Value value = 0;
    curl_easy_getinfo(curl, which, &value);
    return value;
  }
  long status() const { return info<long>(CURLINFO_RESPONSE_CODE); }
  bool has_content() const { return status() == 200 || status() == 206; }
  bool stopped() const { return stop != nullptr && *stop; }
  void tell_head() {
    if (std::exchange(told_head, true)) return;
    curl_header* range = nullptr;
    const bool has_range = curl_easy_header(curl, "Content-Range", 0, CURLH_HEADER, -1, &range) == CURLHE_OK;
    on_head({.status = status(),
             .length = info<curl_off_t>(CURLINFO_CONTENT_LENGTH_DOWNLOAD_T),
             .range = has_range ? range->value : ""});
  }

  static size_t on_write(char* bytes, size_t, size_t count, void* self) {
    Transfer& transfer = *static_cast<Transfer*>(self);
    if (!transfer.has_content()) return count;
    try {
      transfer.tell_head();
      transfer.on_body({bytes, count});
      return count;
    } catch (...) {
      transfer.thrown = std::current_exception();
      return CURL_WRITEFUNC_ERROR;
    }
  }

  static int on_progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    return static_cast<Transfer*>(self)->stopped() ? 1 : 0;
  }
};

HttpClient::HttpClient(HttpOptions options) : options_(std::move(options)) {
  static const CURLcode initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (initialised == CURLE_OK) curl_ = curl_easy_init();
  if (curl_ == nullptr) throw Error(ErrorCode::kBug, {.doing = "starting libcurl"});
}

HttpClient::~HttpClient() { curl_easy_cleanup(curl_); }

void HttpClient::perform(const std::string& url, int64_t offset, Transfer& transfer) {
  curl_easy_reset(curl_);
  const auto set = [this](CURLoption option, auto value) { curl_easy_setopt(curl_, option, value); };
  const long timeout = static_cast<long>(options_.timeout_seconds);
  set(CURLOPT_URL, url.c_str());
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_REDIR_PROTOCOLS_STR, url.starts_with("https:") ? "https" : "http,https");
  set(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
  set(CURLOPT_FOLLOWLOCATION, 1L);
  set(CURLOPT_MAXREDIRS, kMostRedirects);
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_CONNECTTIMEOUT, timeout);
  set(CURLOPT_LOW_SPEED_LIMIT, 1L);
  set(CURLOPT_LOW_SPEED_TIME, timeout);
  set(CURLOPT_USERAGENT, "t2v");
  set(CURLOPT_WRITEFUNCTION, &Transfer::on_write);
  set(CURLOPT_WRITEDATA, &transfer);
  set(CURLOPT_NOPROGRESS, 0L);
  set(CURLOPT_XFERINFOFUNCTION, &Transfer::on_progress);
  set(CURLOPT_XFERINFODATA, &transfer);
  const std::string range = std::to_string(offset) + "-";
  if (offset > 0) set(CURLOPT_RANGE, range.c_str());
  if (!options_.token.empty()) {
    // libcurl shows it to the scheme, host and port of `url` and, as long as UNRESTRICTED_AUTH is off, no
    // other.
    set(CURLOPT_HTTPAUTH, CURLAUTH_BEARER);
    set(CURLOPT_XOAUTH2_BEARER, options_.token.c_str());
  }
  const CURLcode code = curl_easy_perform(curl_);
  if (transfer.thrown) std::rethrow_exception(transfer.thrown);
  if (transfer.stopped()) throw Stopped{};
  if (code == CURLE_OK) return;
  if (code == CURLE_UNSUPPORTED_PROTOCOL)
    throw network_error(url, "an address of another kind", "https://HOST/...", "");
  if (is_final(code)) throw network_error(url, curl_easy_strerror(code), "an answer", "");
  throw TransferFailed{.reason = curl_easy_strerror(code)};
}

void HttpClient::get(const std::string& url, int64_t offset, const OnHead& on_head, const OnBody& on_body) {
  Transfer transfer{.curl = curl_, .on_head = on_head, .on_body = on_body, .stop = options_.stop};
  perform(url, offset, transfer);
  const long status = transfer.status();
  if (transfer.has_content()) return transfer.tell_head();
  const std::string got = "status " + std::to_string(status);
  if (is_transient(status)) {
    const auto wait = static_cast<double>(transfer.info<curl_off_t>(CURLINFO_RETRY_AFTER));
    throw TransferFailed{.reason = got, .status = status, .retry_after = wait};
  }
  const bool access = status == 401 || status == 403;
  throw network_error(url, got, "the file",
                      access
                          ? "the repository may not exist, or needs a token that may read it (HF_TOKEN) and "
                            "its licence accepted on " +
                                options_.endpoint
                      : status == 404 ? "check the name and the revision"
                                      : "");
}

std::string HttpClient::get_text(const std::string& url, size_t largest) {
  std::string text;
  get(
      url, 0, [](const HttpResponse&) {},
      [&](std::string_view bytes) {
        if (text.size() + bytes.size() > largest) {
          throw network_error(url, "more than " + std::to_string(largest) + " bytes", "less", "");
        }
        text += bytes;
      });
  return text;
}

}  // namespace t2v
