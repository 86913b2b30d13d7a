# 程式開發頁面 /docs。程式讀取的名稱與代碼不分語言。
docs-link = 程式開發
docs-nav = 文件
docs-guide = 第一次查驗
docs-reference = 介面參考
docs-reference-lead = 所有介面與欄位（說明為英文）。產生用戶端程式請用：
docs-errors = 錯誤一覽
docs-errors-lead = 除 legacy 規格外，所有錯誤都是 application/problem+json。type 不變；標題與處理方式依 Accept-Language 為中文或英文。
docs-problems = 類型
docs-remedy = 處理方式
docs-violations = 欄位
docs-violations-lead = 欄位被拒絕時，errors 逐一列出 pointer、下列 code 之一與訊息。
docs-sandbox = 測試環境
docs-compatibility = 相容性
docs-body = 內文
docs-optional = 選填
docs-schemas = 資料結構
